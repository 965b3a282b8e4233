// Reading the blocks of ggml: see engine/quant/planar.go, whose functions of the same
// names these are.

// The binary16 scale at a byte, which is a multiple of 2.
fn half(at: u32) -> f32 {
    return bitcast<f32>(widen(raw16(at / 2u)));
}

// The i-th of n nibbles, of which the first half are the low ones of n/2 bytes and the
// second half the high ones.
fn low_high(at: u32, i: u32, n: u32) -> u32 {
    return (raw8(at + i % (n / 2u)) >> (4u * (2u * i / n))) & 15u;
}

// The n-th bit of a byte.
fn bit(at: u32, n: u32) -> u32 {
    return (raw8(at) >> n) & 1u;
}

// The i-th quant of two bits.
fn two_bits(at: u32, i: u32) -> u32 {
    return (raw8(at + i / 128u * 32u + i % 32u) >> (i % 128u / 32u * 2u)) & 3u;
}

// The g-th of eight pairs of 6-bit numbers, a scale and a minimum.
fn k_scales(at: u32, g: u32) -> vec2<u32> {
    if (g < 4u) {
        return vec2<u32>(raw8(at + g), raw8(at + 4u + g)) & vec2<u32>(63u);
    }
    let both = raw8(at + 4u + g);
    return vec2<u32>((both & 15u) | ((raw8(at + g - 4u) >> 6u) << 4u), (both >> 4u) | ((raw8(at + g) >> 6u) << 4u));
}

// What the nibbles of IQ4_NL and IQ4_XS stand for.
fn iq4(nibble: u32) -> i32 {
    var values = array<i32, 16>(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    return values[nibble];
}
