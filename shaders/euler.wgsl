// x += dt·v: one Euler step along the velocity, in place.
//
//   x, v [rows, cols], any strides; dt one number in memory, which the host
//   writes before each step; one thread per four columns
//
// Bindings: 1 x (named out) · 2 dt · OPERAND (3) v, absent where v is x.
// Libraries: store, place, operand or operand_in_place. Prelude: WORKGROUP.
// CPU twin: euler in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    x_at: u32, // offsets and strides count vec4s
    x_stride: u32,
    dt_at: u32,
    v_at: u32,
    v_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dt: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let v = operand(p.v_at + at.x * p.v_stride + at.y);
    let i = p.x_at + at.x * p.x_stride + at.y;
    store4(i, out[i] + dt[p.dt_at].x * v, p.cols - 4u * at.y);
}
