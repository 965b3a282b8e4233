// A block of Q2_K: see engine/quant/q2_k.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(two_bits(at + 16u, i));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    let s = raw8(at + g);
    return vec2<f32>(half(at + 80u) * f32(s & 15u), -(half(at + 82u) * f32(s >> 4u)));
}
