// MatMul for software adapters, where shared memory and barriers are slow: see
// lib/matmul.wgsl for formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A thread makes 4 rows × 4 columns and reads a and w straight from memory.

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n4 = id.x;
    let row = 4u * id.y;
    if (row >= p.m || 4u * n4 >= p.n) {
        return;
    }
    var c0 = vec4<f32>();
    var c1 = vec4<f32>();
    var c2 = vec4<f32>();
    var c3 = vec4<f32>();
    for (var k4 = 0u; k4 < p.k4; k4++) {
        let w = load_w(n4, k4);
        c0 += w * load_a(row, k4);
        c1 += w * load_a(row + 1u, k4);
        c2 += w * load_a(row + 2u, k4);
        c3 += w * load_a(row + 3u, k4);
    }
    finish(row, n4, c0);
    finish(row + 1u, n4, c1);
    finish(row + 2u, n4, c2);
    finish(row + 3u, n4, c3);
}
