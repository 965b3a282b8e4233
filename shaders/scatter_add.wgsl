// x[list[i]] += gate ⊙ share[i]·y[i] for the entries of a list, in place on x. A list has no
// row twice.
//
//   x, y [rows, cols], any strides · list, share [1, 4 + rows] of route.wgsl
//   gate [1, cols] or absent · one thread per four columns
//
// Bindings: 1 x · 2 y · 3 list · 4 share · 5 gate (y where absent). Libraries: store, place.
// Prelude: WORKGROUP, GATED. CPU twin: scatterAdd in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s …
    out_stride: u32,
    y_at: u32,
    y_stride: u32,
    list_at: u32, // … but these two elements
    share_at: u32,
    gate_at: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> list: array<f32>;
@group(0) @binding(4) var<storage, read> share: array<f32>;
@group(0) @binding(5) var<storage, read> gate: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= min(p.rows, u32(list[p.list_at]))) {
        return;
    }
    let row = min(u32(list[p.list_at + 4u + at.x]), p.rows - 1u);
    var v = share[p.share_at + 4u + at.x] * y[p.y_at + at.x * p.y_stride + at.y];
    if (GATED) {
        v *= gate[p.gate_at + at.y];
    }
    let to = p.out_at + row * p.out_stride + at.y;
    store4(to, out[to] + v, p.cols - 4u * at.y);
}
