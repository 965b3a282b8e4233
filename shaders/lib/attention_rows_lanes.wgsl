// Four keys or values for a thread of attention_cpu, the same ones for all threads of a
// subgroup: each reads one of them and hands it to the others. See attention_rows.

// The row of four that this thread reads: as many threads come before it.
fn lane() -> u32 {
    return subgroupExclusiveAdd(1u) & 3u;
}

// Where that row begins.
alias Starts = u32;

fn four_starts(part: u32, first: u32, head: u32, lane: u32) -> Starts {
    return start(part, min(first + lane, keys() - 1u), head);
}

// Four numbers of each of the rows, as columns.
fn four_rows(part: u32, at: Starts, c: u32) -> mat4x4<f32> {
    let v = fetch(part, at + c);
    return mat4x4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
