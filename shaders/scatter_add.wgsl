// x[list[i]] += gate ⊙ share[i]·y[i] for the entries of a list, in place on x. A list has no
// row twice.
//
//   x, y [m, cols], any strides · list, share [1, 4 + m] of route.wgsl
//   gate [1, cols] or absent · four columns at a time
//
// Bindings: 1 x · 2 y · 3 share · 4 gate (y where absent) · LIST (5) list. Libraries: store,
// place, each, rows_counted. Prelude: WORKGROUP, GATED, LIST. CPU twin: scatterAdd in engine/cpu.

struct Params {
    m: u32,
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
@group(0) @binding(3) var<storage, read> share: array<f32>;
@group(0) @binding(4) var<storage, read> gate: array<vec4<f32>>;

fn one(i: u32, column: u32) {
    let row = min(u32(list[p.list_at + 4u + i]), p.m - 1u);
    var v = share[p.share_at + 4u + i] * y[p.y_at + i * p.y_stride + column];
    if (GATED) {
        v *= gate[p.gate_at + column];
    }
    let to = p.out_at + row * p.out_stride + column;
    store4(to, out[to] + v, p.cols - 4u * column);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    each(group, groups, lane, (p.cols + 3u) / 4u);
}
