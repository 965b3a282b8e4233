// Tokens → image, the inverse of patchify:
// out((ty·s + i)·width + tx·s + j, c) = x(ty·(width/s) + tx, (c·s + i)·s + j).
//
//   x [height/s · width/s, C·s·s] → out [height·width, C]; one thread per four
//   channels of a pixel
//
// Bindings: 1 out · 2 x, as single numbers. Libraries: store, place.
// Prelude: WORKGROUP. CPU twin: unpatchify in engine/cpu.

struct Params {
    rows: u32, // of the output
    cols: u32,
    out_at: u32, // offsets and strides of out count vec4s, of x numbers
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    width: u32, // of the image
    side: u32, // of a patch, in pixels
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let row = at.x / p.width;
    let col = at.x % p.width;
    let token = (row / p.side) * (p.width / p.side) + col / p.side;
    let area = p.side * p.side;
    // Where channel 0 of this pixel lies; the channels follow every area numbers.
    let start = p.x_at + token * p.x_stride + (row % p.side) * p.side + col % p.side;
    let c = 4u * at.y;
    let last = p.cols - 1u;
    let v = vec4<f32>(x[start + c * area], x[start + min(c + 1u, last) * area],
                      x[start + min(c + 2u, last) * area], x[start + min(c + 3u, last) * area]);
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - c);
}
