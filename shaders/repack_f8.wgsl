// Lays 8-bit floats out in patches of 4 rows × 4 columns, one for each thread, and
// their scale as that of every row; see lib/weight_f8.wgsl. CPU twin: Upload in
// engine/cpu.
//
// The prelude gives E5M2; false means E4M3. Branches on it fold away.

@group(0) @binding(3) var<storage, read_write> dst: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> scales: array<vec4<f32>>;

fn element(row: u32, col: u32) -> u32 {
    if (row >= p.end || col >= p.cols) {
        return 0u;
    }
    let code = raw8((row - p.raw_row) * p.cols + col);
    // E4M3 has no infinities, and one NaN of each sign.
    report(select(0u, 1u, (code & 0x7fu) >= select(0x7fu, 0x7cu, E5M2)));
    return code;
}

fn column(row: u32, col: u32) -> u32 {
    return element(row, col) | (element(row + 1u, col) << 8u) | (element(row + 2u, col) << 16u) | (element(row + 3u, col) << 24u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = thread(id);
    if (i >= p.count) {
        return;
    }
    let quads = (p.cols + 3u) / 4u;
    let row = p.row + i / quads * 4u;
    let col = i % quads * 4u;
    let n4 = (row - p.dst_row) / 4u;
    dst[n4 * quads + i % quads] = vec4<u32>(column(row, col), column(row, col + 1u), column(row, col + 2u), column(row, col + 3u));
    if (col == 0u) {
        scales[n4] = vec4<f32>(p.scale);
    }
}
