// MatMul for software adapters, where shared memory and barriers are slow: see
// lib/matmul.wgsl for formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A thread makes ROWS rows × 4 columns and reads a and w straight from memory,
// which costs it more than the arithmetic: 8 rows took two thirds of the time of
// 4; 8 × 8 outputs took half, but four times as long to compile.
//
// The prelude gives ROWS (1, 4 or 8) and RAGGED, whether k is no multiple of 4.
// Branches on them fold away.

// Four numbers of a row: zero beyond k, where memory is undefined.
fn whole(v: vec4<f32>, k4: u32) -> vec4<f32> {
    if (!RAGGED) {
        return v;
    }
    return select(vec4<f32>(0.0), v, vec4<u32>(4u * k4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.k));
}

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
    // Where each row begins: the last one's beyond m.
    let last = p.m - 1u;
    let r0 = p.a_offset + row * p.a_stride;
    let r1 = p.a_offset + min(row + 1u, last) * p.a_stride;
    let r2 = p.a_offset + min(row + 2u, last) * p.a_stride;
    let r3 = p.a_offset + min(row + 3u, last) * p.a_stride;
    let r4 = p.a_offset + min(row + 4u, last) * p.a_stride;
    let r5 = p.a_offset + min(row + 5u, last) * p.a_stride;
    let r6 = p.a_offset + min(row + 6u, last) * p.a_stride;
    let r7 = p.a_offset + min(row + 7u, last) * p.a_stride;
    for (var k4 = 0u; k4 < p.k4; k4++) {
        let w = load_w(n4, k4);
        c0 += w * whole(a[r0 + k4], k4);
        if (ROWS >= 4u) {
            c1 += w * whole(a[r1 + k4], k4);
            c2 += w * whole(a[r2 + k4], k4);
            c3 += w * whole(a[r3 + k4], k4);
        }
        if (ROWS == 8u) {
            c4 += w * whole(a[r4 + k4], k4);
            c5 += w * whole(a[r5 + k4], k4);
            c6 += w * whole(a[r6 + k4], k4);
            c7 += w * whole(a[r7 + k4], k4);
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
