// A block of IQ4_NL: see engine/quant/iq4_nl.go.

fn quant(at: u32, i: u32) -> i32 {
    return iq4(low_high(at + 2u, i, 32u));
}

fn scale(at: u32, g: u32) -> vec2<f32> {
    return vec2<f32>(half(at), 0.0);
}
