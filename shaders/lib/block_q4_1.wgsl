// A block of Q4_1: see engine/quant/q4_1.go.

fn quant(at: u32, i: u32) -> i32 {
    return i32(low_high(at + 4u, i, 32u));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    return vec2<f32>(half(at), half(at + 2u));
}
