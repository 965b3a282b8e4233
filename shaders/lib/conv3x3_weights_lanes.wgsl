// Weights for a thread of conv3x3_cpu, the same ones for all threads of a subgroup: each
// reads those of one input channel and hands them to the others. See conv3x3_weights.

// The input channel of four that this thread reads: as many threads come before it.
fn lane() -> u32 {
    return subgroupExclusiveAdd(1u) & 3u;
}

// The weights from input channels 4c … 4c + 3 (columns) to four output channels.
fn weights(tap: u32, c: u32, channel: u32, lane: u32) -> mat4x4<f32> {
    let v = weight[((tap * p.cin4 + c) * 4u + lane) * p.cout4 + channel];
    return mat4x4<f32>(subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}
