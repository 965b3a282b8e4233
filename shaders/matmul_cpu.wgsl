// MatMul for software adapters, where shared memory and barriers are slow: see
// lib/matmul.wgsl for formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A thread makes ROWS rows × 4 columns and reads a and w straight from memory,
// which costs it more than the arithmetic: 8 rows took two thirds of the time of
// 4; 8 × 8 outputs took half, but four times as long to compile.
//
// The prelude gives ROWS (1, 4 or 8). Branches on it fold away.

@compute @workgroup_size(8, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n4 = id.x;
    let row = ROWS * (4u * p.first + id.y);
    if (row >= rows() || 4u * n4 >= p.n) {
        return;
    }
    var c0 = vec4<f32>();
    var c1 = vec4<f32>();
    var c2 = vec4<f32>();
    var c3 = vec4<f32>();
    var c4 = vec4<f32>();
    var c5 = vec4<f32>();
    var c6 = vec4<f32>();
    var c7 = vec4<f32>();
    for (var k4 = 0u; k4 < p.k4; k4++) {
        let w = load_w(n4, k4);
        c0 += w * load_a(row, k4);
        if (ROWS >= 4u) {
            c1 += w * load_a(row + 1u, k4);
            c2 += w * load_a(row + 2u, k4);
            c3 += w * load_a(row + 3u, k4);
        }
        if (ROWS == 8u) {
            c4 += w * load_a(row + 4u, k4);
            c5 += w * load_a(row + 5u, k4);
            c6 += w * load_a(row + 6u, k4);
            c7 += w * load_a(row + 7u, k4);
        }
    }
    finish(row, n4, c0);
    if (ROWS >= 4u) {
        finish(row + 1u, n4, c1);
        finish(row + 2u, n4, c2);
        finish(row + 3u, n4, c3);
    }
    if (ROWS == 8u) {
        finish(row + 4u, n4, c4);
        finish(row + 5u, n4, c5);
        finish(row + 6u, n4, c6);
        finish(row + 7u, n4, c7);
    }
}
