// MatMul by subgroup matrices: see lib/matmul.wgsl for formula, shapes and bindings. CPU
// twin: matMul in engine/cpu.
//
// A workgroup makes TILE × TILE outputs, TILE_K of k at a time, which lie k-major in
// workgroup memory. Its subgroups, DOWN × ACROSS of LANES threads, make a part of them each,
// in matrices of UNIT_M × UNIT_N to which they add UNIT_K products at once. Which thread has
// which element only the driver knows, so sums go through workgroup memory to be finished.
//
// The prelude gives the above, in capitals, and operand: f16 or f32, as the library of that
// name. Where subgroups have fewer threads than LANES, there are more, which have no part.

const T4: u32 = TILE / 4u;
const K4: u32 = TILE_K / 4u;
const STRIDE: u32 = T4 + PAD; // of a tile's rows: not all in the same memory banks
const THREADS: u32 = DOWN * ACROSS * LANES;
const ROWS: u32 = TILE / (DOWN * UNIT_M); // matrices of a part, one below the other, …
const COLS: u32 = TILE / (ACROSS * UNIT_N); // … and side by side
const QUADS: u32 = UNIT_M * UNIT_N / 4u; // of a matrix

alias left = subgroup_matrix_left<operand, UNIT_K, UNIT_M>;
alias right = subgroup_matrix_right<operand, UNIT_N, UNIT_K>;
alias sums = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;

var<workgroup> tile_a: array<operand4, TILE_K * STRIDE>; // [k][4 rows]
var<workgroup> tile_w: array<operand4, TILE_K * STRIDE>; // [k][4 columns]
var<workgroup> made: array<vec4<f32>, DOWN * ACROSS * QUADS>; // a matrix of each part

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32, @builtin(subgroup_id) subgroup: u32) {
    let row = (p.first + group.x) * TILE;
    let n4 = group.y * T4;
    if (row >= rows()) { // of a list, which is shorter than it could be
        return;
    }
    let y = subgroup / ACROSS * ROWS * UNIT_M; // of the part
    let x = subgroup % ACROSS * COLS * UNIT_N;
    var c: array<array<sums, COLS>, ROWS>;
    for (var k4 = 0u; k4 < p.k4; k4 += K4) {
        workgroupBarrier();
        for (var i = id; i < 2u * T4 * K4; i += THREADS) { // patches of 4 × 4
            let k = i % K4;
            let quad = i / K4 % T4;
            let at = 4u * k * STRIDE + quad;
            if (i < T4 * K4) {
                let r = row + 4u * quad;
                let v = transpose(mat4x4<f32>(load_a(r, k4 + k), load_a(r + 1u, k4 + k), load_a(r + 2u, k4 + k), load_a(r + 3u, k4 + k)));
                for (var j = 0u; j < 4u; j++) {
                    tile_a[at + j * STRIDE] = rounded(v[j]);
                }
            } else {
                let v = load_w(n4 + quad, k4 + k);
                for (var j = 0u; j < 4u; j++) {
                    tile_w[at + j * STRIDE] = rounded(v[j]);
                }
            }
        }
        workgroupBarrier();
        if (subgroup < DOWN * ACROSS) {
            for (var k = 0u; k < TILE_K; k += UNIT_K) {
                var a: array<left, ROWS>;
                for (var i = 0u; i < ROWS; i++) {
                    a[i] = subgroupMatrixLoad<left, col_major>(&tile_a, k * STRIDE + (y + i * UNIT_M) / 4u, STRIDE);
                }
                for (var j = 0u; j < COLS; j++) {
                    let w = subgroupMatrixLoad<right, row_major>(&tile_w, k * STRIDE + (x + j * UNIT_N) / 4u, STRIDE);
                    for (var i = 0u; i < ROWS; i++) {
                        c[i][j] = subgroupMatrixMultiplyAccumulate(a[i], w, c[i][j]);
                    }
                }
            }
        }
    }
    for (var i = 0u; i < ROWS; i++) {
        for (var j = 0u; j < COLS; j++) {
            workgroupBarrier();
            if (subgroup < DOWN * ACROSS) {
                subgroupMatrixStore<row_major>(&made, subgroup * QUADS, c[i][j], UNIT_N / 4u);
            }
            workgroupBarrier();
            for (var e = id; e < DOWN * ACROSS * QUADS; e += THREADS) {
                let part = e / QUADS;
                let at = e % QUADS;
                finish(row + (part / ACROSS * ROWS + i) * UNIT_M + at / (UNIT_N / 4u),
                       n4 + (part % ACROSS * COLS + j) * (UNIT_N / 4u) + at % (UNIT_N / 4u), made[e]);
            }
        }
    }
}
