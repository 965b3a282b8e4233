// Raw bytes of a weight file, which lie as GGUF and safetensors store them, and
// the counting of values that are not finite. Everything is done on bits: WGSL
// lets a compiler assume that there is no NaN and no infinity.

struct Repack {
    row: u32,       // first row to lay out
    end: u32,       // row after the last
    raw_row: u32,   // row at which raw begins
    cols: u32,
    dst_row: u32,   // row at which the destination begins
    dst_rows: u32,  // rows of the destination, padded to whole vec4
    slot: u32,      // which counter
    count: u32,     // threads with something to do
    scale: f32,     // of 8-bit floats
}

@group(0) @binding(0) var<uniform> p: Repack;
@group(0) @binding(1) var<storage, read> raw: array<u32>;
@group(0) @binding(2) var<storage, read_write> bad: array<atomic<u32>>;

fn raw8(i: u32) -> u32 {
    return (raw[i / 4u] >> (8u * (i % 4u))) & 0xffu;
}

// The 16 bits at byte 2·i.
fn raw16(i: u32) -> u32 {
    return (raw[i / 2u] >> (16u * (i % 2u))) & 0xffffu;
}

// The 32 bits at byte 2·i, aligned to two bytes only.
fn raw32(i: u32) -> u32 {
    return raw16(i) | (raw16(i + 1u) << 16u);
}

// binary16 to the bits of the same value as f32; exact, subnormals included.
fn widen(h: u32) -> u32 {
    let sign = (h & 0x8000u) << 16u;
    let exponent = (h >> 10u) & 31u;
    let mantissa = h & 0x3ffu;
    if (exponent == 31u) {
        return sign | 0x7f800000u | (mantissa << 13u);
    }
    if (exponent != 0u) {
        return sign | ((exponent + 112u) << 23u) | (mantissa << 13u);
    }
    return sign | bitcast<u32>(f32(mantissa) * 5.9604644775390625e-8); // 2^-24
}

fn not_finite(bits: u32) -> u32 {
    return select(0u, 1u, (bits & 0x7f800000u) == 0x7f800000u);
}

fn report(n: u32) {
    if (n > 0u) {
        atomicAdd(&bad[p.slot], n);
    }
}

// The threads of a launch in one row: it is folded at 65,535 workgroups of 64.
fn thread(id: vec3<u32>) -> u32 {
    return id.x + id.y * (65535u * 64u);
}
