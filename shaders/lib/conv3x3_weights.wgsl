// Weights for a thread of conv3x3_cpu, which reads them all. See conv3x3_weights_lanes.

fn lane() -> u32 {
    return 0u;
}

// The weights from input channels 4c … 4c + 3 (columns) to four output channels.
fn weights(tap: u32, c: u32, channel: u32, lane: u32) -> mat4x4<f32> {
    let at = (tap * p.cin4 + c) * 4u * p.cout4 + channel;
    return mat4x4<f32>(weight[at], weight[at + p.cout4], weight[at + 2u * p.cout4], weight[at + 3u * p.cout4]);
}
