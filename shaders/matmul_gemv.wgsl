// MatMul for few rows (m ≤ 8), bound by the reading of w: see lib/matmul.wgsl for
// formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A workgroup of 64 makes all rows of 8 columns: its threads share the k among
// them, neighbours reading neighbouring patches of w, each of which is read once
// for all rows. The partial sums meet in shared memory.
//
// The prelude gives ROWS (1, 2, 4 or 8, at least m). Branches on it fold away.

const OUTS = 2u * ROWS;               // quads made by the workgroup
const SHARE = 8u / (1u + OUTS / 16u); // threads that add up one of them: 8, or 4 of the 64 where OUTS is 16

// partial[2·row + quad][t]: what thread t found.
var<workgroup> partial: array<array<vec4<f32>, 64>, OUTS>;

// One row's sums for the two quads of columns.
struct Pair {
    x: vec4<f32>,
    y: vec4<f32>,
}

// Adds patches v and w of the two quads times four k of a row of a.
fn add(c: ptr<function, Pair>, row: u32, k4: u32, v: mat4x4<f32>, w: mat4x4<f32>) {
    let u = load_a(row, k4);
    (*c).x += v * u;
    (*c).y += w * u;
}

fn keep(row: u32, t: u32, c: Pair) {
    partial[2u * row][t] = c.x;
    partial[2u * row + 1u][t] = c.y;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let n4 = 2u * id.x;
    var c0 = Pair();
    var c1 = Pair();
    var c2 = Pair();
    var c3 = Pair();
    var c4 = Pair();
    var c5 = Pair();
    var c6 = Pair();
    var c7 = Pair();
    for (var k4 = t; k4 < p.k4; k4 += 64u) {
        let v = load_w(n4, k4);
        let w = load_w(n4 + 1u, k4);
        add(&c0, 0u, k4, v, w);
        if (ROWS >= 2u) {
            add(&c1, 1u, k4, v, w);
        }
        if (ROWS >= 4u) {
            add(&c2, 2u, k4, v, w);
            add(&c3, 3u, k4, v, w);
        }
        if (ROWS == 8u) {
            add(&c4, 4u, k4, v, w);
            add(&c5, 5u, k4, v, w);
            add(&c6, 6u, k4, v, w);
            add(&c7, 7u, k4, v, w);
        }
    }
    keep(0u, t, c0);
    if (ROWS >= 2u) {
        keep(1u, t, c1);
    }
    if (ROWS >= 4u) {
        keep(2u, t, c2);
        keep(3u, t, c3);
    }
    if (ROWS == 8u) {
        keep(4u, t, c4);
        keep(5u, t, c5);
        keep(6u, t, c6);
        keep(7u, t, c7);
    }
    workgroupBarrier();

    // Each quad is added up by SHARE threads, then by one of them.
    let i = t / SHARE;
    let lane = t % SHARE;
    var sum = vec4<f32>();
    if (i < OUTS) {
        for (var j = lane; j < 64u; j += SHARE) {
            sum += partial[i][j];
        }
    }
    workgroupBarrier();
    if (i < OUTS) {
        partial[i][lane] = sum;
    }
    workgroupBarrier();
    if (i < OUTS && lane == 0u) {
        for (var j = 1u; j < SHARE; j++) {
            sum += partial[i][j];
        }
        finish(i / 2u, n4 + i % 2u, sum);
    }
}
