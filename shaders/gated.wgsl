// out = act(a) ⊙ b, element by element: the middle of a gated MLP.
//
//   a, b, out [m, cols], any strides; four columns at a time
//
// Bindings: 1 out · 2 b · LIST (3) of route.wgsl, where only as many rows count as it has
// entries · OPERAND a, absent in place. Libraries: activation, store, place, each, rows or
// rows_counted, operand or operand_in_place. Prelude: ACT, WORKGROUP, LIST.
// CPU twin: gated in engine/cpu.

struct Params {
    m: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    b_at: u32,
    b_stride: u32,
    a_at: u32,
    a_stride: u32,
    list_at: u32, // but this one elements
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;

fn one(row: u32, column: u32) {
    let a = operand(p.a_at + row * p.a_stride + column);
    store4(p.out_at + row * p.out_stride + column, activate(a) * b[p.b_at + row * p.b_stride + column], p.cols - 4u * column);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    each(group, groups, lane, (p.cols + 3u) / 4u);
}
