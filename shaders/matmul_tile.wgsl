// MatMul in tiles: see lib/matmul.wgsl for formula, shapes and bindings. CPU twin:
// matMul in engine/cpu.
//
// A workgroup makes TILE_M × TILE_N outputs, TILE_K of k at a time; a thread makes
// ROWS × COLS of them, 4 or 8 each way. Both tiles are kept k-major in quads, so
// that one k costs a thread ROWS/4 + COLS/4 vec4 loads of shared memory for
// ROWS·COLS multiply-adds (4 for 64, 3 for 32, 2 for 16), and a quantized weight
// is dequantized once for TILE_M rows. While a tile is multiplied, the loads of
// the next one are already under way into registers.
//
// Where outputs are few and K is long, workgroups along z sum p.share of it each: a
// whole number of tiles. matmul_sum.wgsl adds those sums up.
//
// The prelude gives TILE_M, TILE_N, TILE_K, ROWS, COLS. Branches on them fold away.
// Libraries: outer and f32, or f16, where tiles are f16 and sums of one tile, too.

const M4: u32 = TILE_M / 4u;
const N4: u32 = TILE_N / 4u;
const K4: u32 = TILE_K / 4u;
const THREADS_N: u32 = TILE_N / COLS;
const THREADS: u32 = THREADS_N * (TILE_M / ROWS);
const A_PATCHES: u32 = M4 * K4;
const TURNS: u32 = (A_PATCHES + N4 * K4) / THREADS; // 1 to 3

var<workgroup> tile_a: array<array<operand4, M4>, TILE_K>;
var<workgroup> tile_w: array<array<operand4, N4>, TILE_K>;

// Neighbouring threads store patches of neighbouring k4, whose rows of the tile
// would begin in the same memory bank; shifting quads by this (exclusive or) puts
// eight such stores, and later eight neighbouring loads, into eight banks of 16 bytes.
fn bank(k4: u32) -> u32 {
    return (k4 * (8u / K4)) & 7u;
}

// The tiles are filled by patches of 4 × 4, first those of a, then those of w. In
// turn s (a constant where it is called) thread id has patch s·THREADS + id; of
// most turns it is known beforehand whose patches they are.
fn of_a(s: u32, id: u32) -> bool {
    return (s + 1u) * THREADS <= A_PATCHES || (s * THREADS < A_PATCHES && s * THREADS + id < A_PATCHES);
}

// A patch of a or w from k4 on: four k as columns.
fn fetch(s: u32, id: u32, row: u32, n4: u32, k4: u32) -> mat4x4<f32> {
    let i = s * THREADS + id;
    if (of_a(s, id)) {
        let r = row + 4u * (i / K4);
        let k = k4 + i % K4;
        return transpose(mat4x4<f32>(load_a(r, k), load_a(r + 1u, k), load_a(r + 2u, k), load_a(r + 3u, k)));
    }
    let j = i - A_PATCHES;
    return load_w(n4 + j / K4, k4 + j % K4);
}

fn put(s: u32, id: u32, v: mat4x4<f32>) {
    let i = s * THREADS + id;
    if (of_a(s, id)) {
        let k = i % K4;
        let q = (i / K4) ^ bank(k);
        tile_a[4u * k][q] = rounded(v[0]);
        tile_a[4u * k + 1u][q] = rounded(v[1]);
        tile_a[4u * k + 2u][q] = rounded(v[2]);
        tile_a[4u * k + 3u][q] = rounded(v[3]);
    } else {
        let j = i - A_PATCHES;
        let k = j % K4;
        let q = (j / K4) ^ bank(k);
        tile_w[4u * k][q] = rounded(v[0]);
        tile_w[4u * k + 1u][q] = rounded(v[1]);
        tile_w[4u * k + 2u][q] = rounded(v[2]);
        tile_w[4u * k + 3u][q] = rounded(v[3]);
    }
}

// What a thread sums: rows of its first and second quad by columns of its first
// and second quad; the second ones only with ROWS = 8, COLS = 8.
struct Sums {
    c00: mat4x4<f32>,
    c01: mat4x4<f32>,
    c10: mat4x4<f32>,
    c11: mat4x4<f32>,
}

// The same of one tile.
struct Blocks {
    c00: block,
    c01: block,
    c10: block,
    c11: block,
}

// Adds what row k of the tiles contributes.
fn multiply(c: ptr<function, Blocks>, k: u32, x0: u32, x1: u32, y0: u32, y1: u32) {
    let u = tile_a[k][y0];
    let v = tile_w[k][x0];
    (*c).c00 = outer((*c).c00, u, v);
    if (COLS == 8u) {
        (*c).c01 = outer((*c).c01, u, tile_w[k][x1]);
    }
    if (ROWS == 8u) {
        (*c).c10 = outer((*c).c10, tile_a[k][y1], v);
    }
    if (ROWS == 8u && COLS == 8u) {
        (*c).c11 = outer((*c).c11, tile_a[k][y1], tile_w[k][x1]);
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
    let row = (p.first + group.x) * TILE_M;
    let n4 = group.y * N4;
    if (row >= rows()) { // of a list, which is shorter than it could be
        return;
    }
    // This thread's quads of rows and columns; with 8 of each the second quad lies
    // half a tile further, so that neighbours read neighbouring quads.
    let x = id % THREADS_N;
    let y = id / THREADS_N;

    var c = Sums();

    // Each round fetches a tile, multiplies the one before while the loads are
    // under way, and then puts the fetched tile in its place.
    var s0: mat4x4<f32>;
    var s1: mat4x4<f32>;
    var s2: mat4x4<f32>;
    let begins = group.z * p.share;
    let ends = min(begins + p.share, p.k4);
    for (var k4 = begins; k4 < ends + K4; k4 += K4) {
        if (k4 < ends) {
            s0 = fetch(0u, id, row, n4, k4);
            if (TURNS > 1u) {
                s1 = fetch(1u, id, row, n4, k4);
            }
            if (TURNS > 2u) {
                s2 = fetch(2u, id, row, n4, k4);
            }
        }
        if (k4 > begins) {
            var b = Blocks(begin(c.c00), begin(c.c01), begin(c.c10), begin(c.c11));
            for (var q = 0u; q < K4; q++) {
                let k = 4u * q;
                let turn = bank(q);
                let y0 = y ^ turn;
                let x0 = x ^ turn;
                let y1 = (y + M4 / 2u) ^ turn;
                let x1 = (x + N4 / 2u) ^ turn;
                multiply(&b, k, x0, x1, y0, y1);
                multiply(&b, k + 1u, x0, x1, y0, y1);
                multiply(&b, k + 2u, x0, x1, y0, y1);
                multiply(&b, k + 3u, x0, x1, y0, y1);
            }
            c = Sums(end(c.c00, b.c00), end(c.c01, b.c01), end(c.c10, b.c10), end(c.c11, b.c11));
        }
        workgroupBarrier();
        put(0u, id, s0);
        if (TURNS > 1u) {
            put(1u, id, s1);
        }
        if (TURNS > 2u) {
            put(2u, id, s2);
        }
        workgroupBarrier();
    }

    slab = group.z * p.slab;
    finish4(row + 4u * y, n4 + x, c.c00);
    if (COLS == 8u) {
        finish4(row + 4u * y, n4 + x + N4 / 2u, c.c01);
    }
    if (ROWS == 8u) {
        finish4(row + 4u * y + TILE_M / 2u, n4 + x, c.c10);
    }
    if (ROWS == 8u && COLS == 8u) {
        finish4(row + 4u * y + TILE_M / 2u, n4 + x + N4 / 2u, c.c11);
    }
}
