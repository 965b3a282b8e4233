// In place on the heads of x: rotary embedding (RoFormer, arXiv 2104.09864).
//
//   (a, b) ← (a·cos − b·sin, a·sin + b·cos)
//
//   x [rows, heads·size] · table [rows, size]: cos, sin of pair i at columns 2i, 2i + 1
//   Pair i of a head is columns 2i, 2i + 1 (FLUX) or, with HALF, i, i + size/2 (Llama).
//   One thread per two pairs of a head.
//
// Bindings: 1 x · 2 table. Libraries: place. Prelude: WORKGROUP, HALF.
// CPU twin: rotary in engine/cpu.

struct Params {
    rows: u32,
    heads: u32,
    size: u32,
    x_at: u32, // these count elements
    x_stride: u32,
    table_at: u32,
    table_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let each = p.size / 4u;
    let at = place(group, groups, lane, p.heads * each);
    if (at.x >= p.rows) {
        return;
    }
    let head = p.x_at + at.x * p.x_stride + at.y / each * p.size;
    let turns = p.table_at + at.x * p.table_stride;
    for (var i = at.y % each * 2u; i < at.y % each * 2u + 2u; i++) {
        let first = head + select(2u * i, i, HALF);
        let second = head + select(2u * i + 1u, i + p.size / 2u, HALF);
        let a = x[first];
        let b = x[second];
        let cos = table[turns + 2u * i];
        let sin = table[turns + 2u * i + 1u];
        x[first] = a * cos - b * sin;
        x[second] = a * sin + b * cos;
    }
}
