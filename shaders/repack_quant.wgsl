// Lays Q8_0 and Q4_0 blocks out as planar quants and scales, 4 rows × 32 columns
// for each thread; see lib/weight_q8.wgsl and lib/weight_q4.wgsl. CPU twin: Upload
// in engine/cpu.
//
//	Q8_0  f16 scale, 32 signed bytes
//	Q4_0  f16 scale, 16 bytes: low nibbles columns 0 … 15, high ones 16 … 31, all + 8
//
// The prelude gives BITS, 8 or 4. Branches on it fold away.

const BLOCK = 2u * BITS + 1u; // of 2 bytes: a scale and 32 quants
const WORDS = BITS / 2u;      // of a patch of 4 rows × 4 columns

@group(0) @binding(3) var<storage, read_write> dst: array<u32>;
@group(0) @binding(4) var<storage, read_write> scales: array<vec4<f32>>;

// Where a row's block begins in raw, in units of 2 bytes.
fn block(row: u32, b: u32) -> u32 {
    return ((min(row, p.end - 1u) - p.raw_row) * (p.cols / 32u) + b) * BLOCK;
}

// The bits of a block's scale as f32; rows beyond the weight are scaled to 0.
fn scale(row: u32, at: u32) -> u32 {
    let s = select(0u, widen(raw16(at)), row < p.end);
    report(not_finite(s));
    return s;
}

// Byte j of four rows in one word.
fn column(w: vec4<u32>, j: u32) -> u32 {
    let b = (w >> vec4<u32>(8u * j)) & vec4<u32>(255u);
    return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// Four nibbles, each in a byte of its own, side by side.
fn close(u: u32) -> u32 {
    return (u & 15u) | ((u >> 4u) & 0xf0u) | ((u >> 8u) & 0xf00u) | ((u >> 12u) & 0xf000u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = thread(id);
    if (i >= p.count) {
        return;
    }
    let blocks = p.cols / 32u;
    let row = p.row + i / blocks * 4u;
    let b = i % blocks;
    let at = vec4<u32>(block(row, b), block(row + 1u, b), block(row + 2u, b), block(row + 3u, b));
    let out = (row - p.dst_row) / 4u * blocks + b;
    scales[out] = bitcast<vec4<f32>>(vec4<u32>(
        scale(row, at.x), scale(row + 1u, at.y), scale(row + 2u, at.z), scale(row + 3u, at.w)));
    for (var k4 = 0u; k4 < 8u; k4++) {
        let word = select(k4 % 4u, k4, BITS == 8u);
        let q = at + vec4<u32>(1u + 2u * word);
        let w = vec4<u32>(raw32(q.x), raw32(q.y), raw32(q.z), raw32(q.w));
        let to = (out * 8u + k4) * WORDS;
        if (BITS == 8u) {
            // A word for each column: q + 128.
            for (var j = 0u; j < 4u; j++) {
                dst[to + j] = column(w, j) ^ 0x80808080u;
            }
        } else {
            // A word for two columns.
            let nibbles = (w >> vec4<u32>(4u * (k4 / 4u))) & vec4<u32>(0x0f0f0f0fu);
            for (var j = 0u; j < 2u; j++) {
                dst[to + j] = close(column(nibbles, 2u * j)) | (close(column(nibbles, 2u * j + 1u)) << 16u);
            }
        }
    }
}
