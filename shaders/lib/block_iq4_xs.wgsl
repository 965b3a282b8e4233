// A block of IQ4_XS: see engine/quant/iq4_xs.go.

fn quant(at: u32, i: u32) -> i32 {
    return iq4(low_high(at + 8u + i / 32u * 16u, i % 32u, 32u));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    let s = ((raw8(at + 4u + g / 2u) >> (g % 2u * 4u)) & 15u) | (((raw16(at / 2u + 1u) >> (2u * g)) & 3u) << 4u);
    return vec2<f32>(half(at) * f32(i32(s) - 32), 0.0);
}
