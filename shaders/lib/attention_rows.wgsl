// Four keys or values for a thread of attention_cpu, which reads them all. See
// attention_rows_lanes.

fn lane() -> u32 {
    return 0u;
}

// Where the rows begin.
alias Starts = vec4<u32>;

fn four_starts(part: u32, first: u32, head: u32, lane: u32) -> Starts {
    return starts(part, first + vec4<u32>(0u, 1u, 2u, 3u), head);
}

// Four numbers of each of the rows, as columns.
fn four_rows(at: Starts, c: u32) -> mat4x4<f32> {
    return mat4x4<f32>(y[at.x + c], y[at.y + c], y[at.z + c], y[at.w + c]);
}
