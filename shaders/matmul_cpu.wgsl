// MatMul for software adapters, where shared memory and barriers are slow: see
// lib/matmul.wgsl for formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A thread makes ROWS rows × 4 columns and reads a and w straight from memory,
// which costs it more than the arithmetic: 8 rows took two thirds of the time of
// 4; 8 × 8 outputs took half, but four times as long to compile. All threads of a
// workgroup have the same rows: where they can hand them to one another
// (lib/matmul_rows_lanes.wgsl), that took two thirds of the time again, and 16 rows
// no less than 8.
//
// The prelude gives ROWS (1, 4 or 8), WORKGROUP (threads) and RAGGED, whether k is no
// multiple of 4. Branches on ROWS and RAGGED fold away.

// Four numbers of a row: zero beyond k, where memory is undefined.
fn whole(v: vec4<f32>, k4: u32) -> vec4<f32> {
    if (!RAGGED) {
        return v;
    }
    return select(vec4<f32>(0.0), v, vec4<u32>(4u * k4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.k));
}

fn strip(row: u32, n4: u32) {
    var c0 = vec4<f32>();
    var c1 = vec4<f32>();
    var c2 = vec4<f32>();
    var c3 = vec4<f32>();
    var c4 = vec4<f32>();
    var c5 = vec4<f32>();
    var c6 = vec4<f32>();
    var c7 = vec4<f32>();
    let upper = starts(row);
    let lower = starts(row + 4u);
    for (var k4 = 0u; k4 < p.k4; k4++) {
        let w = load_w(n4, k4);
        let x = four_rows(upper, k4);
        c0 += w * x[0];
        if (ROWS >= 4u) {
            c1 += w * x[1];
            c2 += w * x[2];
            c3 += w * x[3];
        }
        if (ROWS == 8u) {
            let y = four_rows(lower, k4);
            c4 += w * y[0];
            c5 += w * y[1];
            c6 += w * y[2];
            c7 += w * y[3];
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

// Of the rows that a list counts there may be more than are expected, for which there are
// threads: each then makes several strips. SwiftShader runs most of what an idle thread
// would have done, and of a loop that is tested at its head a last round in vain.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let n4 = WORKGROUP * group.x + thread;
    var row = ROWS * (p.first + group.y);
    if (row >= rows()) { // of all threads, or of none
        return;
    }
    if (!COUNTED) {
        strip(row, n4);
        return;
    }
    loop {
        strip(row, n4);
        continuing {
            row += ROWS * p.groups;
            break if row >= rows();
        }
    }
}
