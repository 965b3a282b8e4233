// Lays unquantized weights out as f32, a vec4 for each thread (layouts: weight.go).
// CPU twin: Upload in engine/cpu.
//
// The prelude gives SOURCE (0 F32, 1 F16, 2 BF16) and LAYOUT (0 rows padded to
// whole vec4, 1 patches of 4 rows × 4 columns for MatMul, 2 [tap][in][out] for
// Conv3x3). Branches on them fold away.

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

// The bits of an element as f32; 0 outside the weight.
fn element(row: u32, col: u32) -> u32 {
    if (row >= p.end || col >= p.cols) {
        return 0u;
    }
    let i = (row - p.raw_row) * p.cols + col;
    if (SOURCE == 0u) {
        return raw[i];
    }
    if (SOURCE == 1u) {
        return widen(raw16(i));
    }
    return raw16(i) << 16u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = thread(id);
    if (i >= p.count) {
        return;
    }
    var v: vec4<u32>;
    var at: u32;
    if (LAYOUT == 0u) {
        let quads = (p.cols + 3u) / 4u;
        let row = p.row + i / quads;
        let col = 4u * (i % quads);
        v = vec4<u32>(element(row, col), element(row, col + 1u), element(row, col + 2u), element(row, col + 3u));
        at = (row - p.dst_row) * quads + col / 4u;
    } else if (LAYOUT == 1u) {
        let padded = (p.cols + 3u) / 4u * 4u;
        let row = p.row + i / padded * 4u;
        let col = i % padded;
        v = vec4<u32>(element(row, col), element(row + 1u, col), element(row + 2u, col), element(row + 3u, col));
        at = (row - p.dst_row) / 4u * padded + col;
    } else {
        let inputs = p.cols / 9u;
        let quads = (p.end - p.row + 3u) / 4u;
        let row = p.row + i % quads * 4u;
        let tap = i / quads % 9u;
        let input = i / quads / 9u;
        // An input in the padding lies beyond the columns: element gives 0.
        let col = input * 9u + tap;
        v = vec4<u32>(element(row, col), element(row + 1u, col), element(row + 2u, col), element(row + 3u, col));
        at = (tap * ((inputs + 3u) / 4u * 4u) + input) * (p.dst_rows / 4u) + (row - p.dst_row) / 4u;
    }
    report(not_finite(v.x) + not_finite(v.y) + not_finite(v.z) + not_finite(v.w));
    dst[at] = bitcast<vec4<f32>>(v);
}
