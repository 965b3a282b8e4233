// Nearest-neighbour doubling: out(2y + i, 2x + j) = in(y, x) for i, j in {0, 1}.
//
//   x [height·width, cols] → out [4·height·width, cols]; one thread per four
//   channels of an output pixel
//
// Bindings: 1 out · 2 x. Libraries: store, place. Prelude: WORKGROUP.
// CPU twin: upsample in engine/cpu.

struct Params {
    rows: u32, // of the output
    cols: u32,
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    width: u32, // of the input
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let y = at.x / (2u * p.width);
    let pixel = (y / 2u) * p.width + (at.x - y * 2u * p.width) / 2u;
    store4(p.out_at + at.x * p.out_stride + at.y, x[p.x_at + pixel * p.x_stride + at.y], p.cols - 4u * at.y);
}
