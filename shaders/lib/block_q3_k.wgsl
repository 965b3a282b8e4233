// A block of Q3_K: see engine/quant/q3_k.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(two_bits(at + 32u, i) | (bit(at + i % 32u, i / 32u) << 2u)) - 4;
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    let s = low_high(at + 96u, g, 16u) | (((raw8(at + 104u + g % 4u) >> (g / 4u * 2u)) & 3u) << 4u);
    return vec2<f32>(half(at + 108u) * f32(i32(s) - 32), 0.0);
}
