// A block of Q4_K: see engine/quant/q4_k.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(low_high(at + 16u + i / 64u * 32u, i % 64u, 64u));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    let s = k_scales(at + 4u, g);
    return vec2<f32>(half(at) * f32(s.x), -(half(at + 2u) * f32(s.y)));
}
