// out[i] = x[list[i]] for the entries of a list; the rows of out behind them stay as they are.
//
//   x, out [m, cols], any strides · list [1, 4 + m] of route.wgsl
//   four columns at a time
//
// Bindings: 1 out · 2 x · LIST (3) list. Libraries: store, place, each, rows_counted.
// Prelude: WORKGROUP, LIST.
// CPU twin: gather in engine/cpu.

struct Params {
    m: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s …
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    list_at: u32, // … but this one elements
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;

fn one(i: u32, column: u32) {
    let row = min(u32(list[p.list_at + 4u + i]), p.m - 1u);
    store4(p.out_at + i * p.out_stride + column, x[p.x_at + row * p.x_stride + column], p.cols - 4u * column);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    each(group, groups, lane, (p.cols + 3u) / 4u);
}
