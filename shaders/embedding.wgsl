// out[i] = table[min(ids[i], last)]: the rows of a table that ids name.
//
//   table [V, cols] · ids [1, rows] u32 · out [rows, cols]
//   one thread per four columns
//
// Bindings: 1 out · 2 table · 3 ids. Libraries: store, place. Prelude: WORKGROUP.
// CPU twin: embedding in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s …
    out_stride: u32,
    table_at: u32,
    table_stride: u32,
    ids_at: u32, // … but this one u32s
    last: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> ids: array<u32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let row = min(ids[p.ids_at + at.x], p.last);
    let v = table[p.table_at + row * p.table_stride + at.y];
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - 4u * at.y);
}
