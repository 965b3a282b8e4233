// Four keys or values for a thread of attention_cpu, which reads them all. See
// attention_rows_lanes.

fn lane() -> u32 {
    return 0u;
}

// Where the rows begin.
alias Starts = vec4<u32>;

fn four_starts(part: u32, first: u32, head: u32, lane: u32) -> Starts {
    return starts(part, first + vec4<u32>(0u, 1u, 2u, 3u), keys(), head);
}

// Four numbers of each of the rows, as columns.
fn four_rows(part: u32, at: Starts, c: u32) -> mat4x4<f32> {
    return mat4x4<f32>(fetch(part, at.x + c), fetch(part, at.y + c), fetch(part, at.z + c), fetch(part, at.w + c));
}
