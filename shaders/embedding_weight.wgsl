// out[i] = table[min(ids[i], last)] where the table is a weight in patches of 4 rows ×
// 4 columns (layouts: engine/gpu/weight.go), of which this launch has the buffers that
// hold rows first … end − 1; other launches write the other rows.
//
//   table [V, cols] · ids [1, rows] u32 · out [rows, cols]
//   one thread per four columns
//
// Bindings: 1 out · 2 ids · 3 and 4 table. Libraries: store, place, weight_*. Prelude:
// WORKGROUP and what the weight wants. CPU twin: embedding in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s …
    out_stride: u32,
    ids_at: u32, // … but this one u32s
    last: u32,
    base: u32,   // the table's first row in the weight
    first: u32,  // rows of the weight
    end: u32,
    start: u32,  // the first row in the buffers
    k4: u32,     // cols in quads, rounded up
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, p.k4);
    if (at.x >= p.rows) {
        return;
    }
    let row = p.base + min(ids[p.ids_at + at.x], p.last);
    if (row < p.first || row >= p.end) {
        return;
    }
    let w = weight_patch((row - p.start) / 4u, at.y);
    let j = (row - p.start) % 4u;
    store4(p.out_at + at.x * p.out_stride + at.y, vec4<f32>(w[0][j], w[1][j], w[2][j], w[3][j]), p.cols - 4u * at.y);
}
