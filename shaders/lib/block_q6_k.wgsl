// A block of Q6_K: see engine/quant/q6_k.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(low_high(at + i / 128u * 64u, i % 128u, 128u) | (two_bits(at + 128u, i) << 4u)) - 32;
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    return vec2<f32>(half(at + 208u) * f32(i32(raw8(at + 192u + g) << 24u) >> 24u), 0.0);
}
