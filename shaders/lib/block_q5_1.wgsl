// A block of Q5_1: see engine/quant/q5_1.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(low_high(at + 8u, i, 32u) | (bit(at + 4u + i / 8u, i % 8u) << 4u));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    return vec2<f32>(half(at), half(at + 2u));
}
