// Lays ggml's blocks out as planar quants, scales and minima, 4 rows × 4 columns for
// each thread; see lib/weight_q8.wgsl and lib/weight_q4.wgsl. CPU twin: Upload in
// engine/cpu.
//
// How a block is read, lib/block_*.wgsl tells as package quant does: quant(at, i) is the
// i-th quant of the block at byte at, scale(at, g) what the g-th group is multiplied by
// and what is then added (0 where there are no minima).
//
// The prelude gives ELEMS and BYTES of a block, BITS (8 or 4), GROUP, MINIMA, HALF and
// OTHER_HALF (the bytes at which its one or two binary16 scales begin). Branches on them
// fold away.

const WORDS = BITS / 2u; // of a patch of 4 rows × 4 columns

@group(0) @binding(3) var<storage, read_write> dst: array<u32>;
@group(0) @binding(4) var<storage, read_write> scales: array<vec4<f32>>;

// Where the block of a row that holds column col begins in raw, in bytes.
fn block(row: u32, col: u32) -> u32 {
    return ((min(row, p.end - 1u) - p.raw_row) * (p.cols / ELEMS) + col / ELEMS) * BYTES;
}

// A quant as it is stored: not negative. Rows beyond the weight are scaled to 0.
fn code(at: u32, i: u32) -> u32 {
    if (BITS == 8u) {
        return u32(quant(at, i) + 128);
    }
    return u32(quant(at, i) + select(8, 0, MINIMA));
}

fn scaled(row: u32, at: u32, g: u32) -> vec2<f32> {
    if (row >= p.end) {
        return vec2<f32>();
    }
    if (g == 0u) {
        report(not_finite(widen(raw16(at / 2u + HALF / 2u))));
        if (OTHER_HALF != HALF) {
            report(not_finite(widen(raw16(at / 2u + OTHER_HALF / 2u))));
        }
    }
    return scale(at, g);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let t = thread(id);
    if (t >= p.count) {
        return;
    }
    let quads = p.cols / 4u;
    let row = p.row + t / quads * 4u;
    let col = t % quads * 4u;
    let n4 = (row - p.dst_row) / 4u;
    let at = vec4<u32>(block(row, col), block(row + 1u, col), block(row + 2u, col), block(row + 3u, col));
    let first = col % ELEMS; // in its block
    if (first % GROUP == 0u) {
        let g = first / GROUP;
        let a = scaled(row, at.x, g);
        let b = scaled(row + 1u, at.y, g);
        let c = scaled(row + 2u, at.z, g);
        let d = scaled(row + 3u, at.w, g);
        let to = n4 * (p.cols / GROUP) + col / GROUP;
        if (MINIMA) {
            scales[2u * to] = vec4<f32>(a.x, b.x, c.x, d.x);
            scales[2u * to + 1u] = vec4<f32>(a.y, b.y, c.y, d.y);
        } else {
            scales[to] = vec4<f32>(a.x, b.x, c.x, d.x);
        }
    }
    let to = (n4 * quads + col / 4u) * WORDS;
    for (var w = 0u; w < WORDS; w++) {
        // A word holds 32 / BITS quants: one column or two, four rows each.
        var word = 0u;
        for (var j = 0u; j < 8u / BITS; j++) {
            let i = first + w * (8u / BITS) + j;
            word |= (code(at.x, i) | (code(at.y, i) << BITS) | (code(at.z, i) << (2u * BITS)) | (code(at.w, i) << (3u * BITS))) << (16u * j);
        }
        dst[to + w] = word;
    }
}
