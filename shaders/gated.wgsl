// out = act(a) ⊙ b, element by element: the middle of a gated MLP.
//
//   a, b, out [rows, cols], any strides; one thread per four columns
//
// Bindings: 1 out · 2 b · OPERAND (3) a, absent in place. Libraries: activation,
// store, place, operand or operand_in_place. Prelude: ACT, WORKGROUP.
// CPU twin: gated in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    b_at: u32,
    b_stride: u32,
    a_at: u32,
    a_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let a = operand(p.a_at + at.x * p.a_stride + at.y);
    store4(p.out_at + at.x * p.out_stride + at.y, activate(a) * b[p.b_at + at.x * p.b_stride + at.y], p.cols - 4u * at.y);
}
