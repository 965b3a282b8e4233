// out[head·S + i, j] = x[head, j − i + S − 1]: attention's bias by the distance of key
// and query.
//
//   x [heads, 2·S − 1] → out [heads·S, S]; one thread per four columns
//
// Bindings: 1 out · 2 x. Libraries: store, place. Prelude: WORKGROUP.
// CPU twin: relativeBias in engine/cpu.

struct Params {
    rows: u32, // heads·S
    cols: u32, // S
    out_at: u32, // offset and stride count vec4s …
    out_stride: u32,
    x_at: u32, // … but these f32s
    x_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

// element is that of a column, or of the last one for those in the padding.
fn element(first: u32, col: u32) -> f32 {
    return x[first + min(col, p.cols - 1u)];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let first = p.x_at + at.x / p.cols * p.x_stride + p.cols - 1u - at.x % p.cols;
    let c = 4u * at.y;
    let v = vec4<f32>(element(first, c), element(first, c + 1u), element(first, c + 2u), element(first, c + 3u));
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - c);
}
