// Four rows of a for a thread of matmul_cpu, the same ones for all threads of a subgroup:
// each reads one of them and hands it to the others. See matmul_rows.

// Where the row begins that this thread reads: the last one's beyond m.
alias Starts = u32;

// All threads ask for the same row. As many as come before a thread tell its place.
fn starts(row: u32) -> Starts {
    return p.a_offset + min(row + (subgroupExclusiveAdd(1u) & 3u), p.m - 1u) * p.a_stride;
}

fn four_rows(at: Starts, k4: u32) -> mat4x4<f32> {
    let v = whole(a[at + k4], k4);
    return mat4x4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
