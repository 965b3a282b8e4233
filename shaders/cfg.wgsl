// out = uncond + scale·(cond − uncond): classifier-free guidance, arXiv 2207.12598.
//
//   cond, uncond, out [rows, cols], any strides; one thread per four columns
//
// Bindings: 1 out · 2 uncond · OPERAND (3) cond, absent in place. Libraries:
// store, place, operand or operand_in_place. Prelude: WORKGROUP.
// CPU twin: cfg in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    uncond_at: u32,
    uncond_stride: u32,
    cond_at: u32,
    cond_stride: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> uncond: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let c = operand(p.cond_at + at.x * p.cond_stride + at.y);
    let u = uncond[p.uncond_at + at.x * p.uncond_stride + at.y];
    store4(p.out_at + at.x * p.out_stride + at.y, u + p.scale * (c - u), p.cols - 4u * at.y);
}
