// Image → tokens (TOKENS) and back, for patches of s × s pixels (FLUX's "c ph pw" order):
// token(ty·(width/s) + tx, (c·s + i)·s + j) = pixel((ty·s + i)·width + tx·s + j, c);
// with CHANNEL_LAST (SD3's "ph pw c") the token's channel is (i·s + j)·C + c.
//
//   pixels [height·width, C] and tokens [height/s · width/s, C·s·s], x the one and
//   out the other; one thread per four columns of a row of out
//
// Bindings: 1 out · 2 x, as single numbers. Libraries: store, place.
// Prelude: TOKENS, CHANNEL_LAST, WORKGROUP. CPU twins: patchify and unpatchify in engine/cpu.

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

// What belongs at a row and column of the output; past the last column, the last.
fn element(row: u32, col: u32) -> f32 {
    let c = min(col, p.cols - 1u);
    let s = p.side;
    let across = p.width / s; // tokens
    if (TOKENS) {
        let channels = p.cols / (s * s);
        let within = select(c % (s * s), c / channels, CHANNEL_LAST); // i·s + j
        let channel = select(c / (s * s), c % channels, CHANNEL_LAST);
        let pixel = (row / across * s + within / s) * p.width + row % across * s + within % s;
        return x[p.x_at + pixel * p.x_stride + channel];
    }
    let h = row / p.width;
    let w = row % p.width;
    let token = h / s * across + w / s;
    let within = h % s * s + w % s;
    return x[p.x_at + token * p.x_stride + select(c * s * s + within, within * p.cols + c, CHANNEL_LAST)];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let c = 4u * at.y;
    let v = vec4<f32>(element(at.x, c), element(at.x, c + 1u), element(at.x, c + 2u), element(at.x, c + 3u));
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - c);
}
