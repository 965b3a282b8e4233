// Four rows of a for a thread of matmul_cpu, which reads them all. See matmul_rows_lanes.

// Where the rows begin: the last one's beyond m.
alias Starts = vec4<u32>;

fn starts(row: u32) -> Starts {
    return p.a_offset + min(row + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.m - 1u)) * p.a_stride;
}

fn four_rows(at: Starts, k4: u32) -> mat4x4<f32> {
    return mat4x4<f32>(whole(a[at.x + k4], k4), whole(a[at.y + k4], k4), whole(a[at.z + k4], k4), whole(a[at.w + k4], k4));
}
