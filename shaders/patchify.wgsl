// Image → tokens: out(ty·(width/s) + tx, (c·s + i)·s + j) = x((ty·s + i)·width + tx·s + j, c)
// for patches of s × s pixels (FLUX's "c ph pw" order).
//
//   x [height·width, C] → out [height/s · width/s, C·s·s]; one thread per four
//   columns of a token
//
// Bindings: 1 out · 2 x, as single numbers. Libraries: store, place.
// Prelude: WORKGROUP. CPU twin: patchify in engine/cpu.

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

// The element of column col of the token whose first pixel is given.
fn element(pixel: u32, col: u32) -> f32 {
    let c = min(col, p.cols - 1u);
    let j = c % p.side;
    let i = (c / p.side) % p.side;
    return x[p.x_at + (pixel + i * p.width + j) * p.x_stride + c / (p.side * p.side)];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let across = p.width / p.side;
    let pixel = (at.x / across) * p.side * p.width + (at.x % across) * p.side;
    let c = 4u * at.y;
    let v = vec4<f32>(element(pixel, c), element(pixel, c + 1u), element(pixel, c + 2u), element(pixel, c + 3u));
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - c);
}
