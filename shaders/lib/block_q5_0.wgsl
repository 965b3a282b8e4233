// A block of Q5_0: see engine/quant/q5_0.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(low_high(at + 6u, i, 32u) | (bit(at + 2u + i / 8u, i % 8u) << 4u)) - 16;
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    return vec2<f32>(half(at), 0.0);
}
