// Lays F16 and BF16 weights out in patches of 4 rows × 4 columns for MatMul, half a patch
// (two columns of k) for each thread; see lib/weight_f16.wgsl. CPU twin: Upload in
// engine/cpu.
//
// The prelude gives BFLOAT; false means F16. Branches on it fold away.

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;

fn element(row: u32, col: u32) -> u32 {
    if (row >= p.end || col >= p.cols) {
        return 0u;
    }
    return raw16((row - p.raw_row) * p.cols + col);
}

fn pair(x: u32, y: u32) -> u32 {
    report(not_finite(single(x)) + not_finite(single(y)));
    return x | (y << 16u);
}

// The bits of an element as f32.
fn single(x: u32) -> u32 {
    if (BFLOAT) {
        return x << 16u;
    }
    return widen(x);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = thread(id);
    if (i >= p.count) {
        return;
    }
    let halves = (p.cols + 3u) / 4u * 2u;
    let row = p.row + i / halves * 4u;
    let col = i % halves * 2u;
    dst[(row - p.dst_row) / 4u * halves + i % halves] = vec4<u32>(
        pair(element(row, col), element(row + 1u, col)),
        pair(element(row + 2u, col), element(row + 3u, col)),
        pair(element(row, col + 1u), element(row + 1u, col + 1u)),
        pair(element(row + 2u, col + 1u), element(row + 3u, col + 1u)),
    );
}
