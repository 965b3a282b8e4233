// What the MatMul kernels share: parameters, buffers, the reading of a and the
// epilogue. Columns are counted in quads (four neighbours, one vec4), k too.
//
//	out[r, c] = residual[r, c] + gate[c] · act(Σ_k a[r, k]·w[c, k] + bias[c])
//
// CPU twin: matMul in engine/cpu.

struct MatMul {
    m: u32,               // rows of a and out
    n: u32,               // columns made by this launch
    k: u32,
    k4: u32,              // k in quads, rounded up
    a_offset: u32,        // offsets and strides of views: in vec4
    a_stride: u32,
    out_offset: u32,
    out_stride: u32,
    residual_offset: u32,
    residual_stride: u32,
    bias_offset: u32,
    gate_offset: u32,
    column: u32,          // first quad of this launch: weights over the binding limit take several
    act_from: u32,        // quads ≥ act_from are activated
    gap_at: u32,          // quads ≥ gap_at are written gap_width quads further right
    gap_width: u32,
    weight_row: u32,      // first patch row of w in the buffer
    weight_last: u32,     // last patch row in the buffer
    flags: u32,
    list_at: u32,         // of the list that counts rows, in elements
    groups: u32,          // workgroups along y, of all launches that the product was cut into
    share: u32,           // quads of k of a part: k4 where k is not divided
    slab: u32,            // from the sums of a part to those of the next, in vec4
    first: u32,           // workgroup along the rows
}

const HAS_BIAS: u32 = 1u;
const HAS_GATE: u32 = 2u;
const HAS_RESIDUAL: u32 = 4u;
const IN_PLACE: u32 = 8u; // the residual is out itself

@group(0) @binding(0) var<uniform> p: MatMul;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;
// Absent vectors and residuals have some readable buffer bound in their place.
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> gate: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> residual: array<vec4<f32>>;
// Then come the weight's (WEIGHTS and SCALES), where there is one; behind them may be a list, whose
// entries are how many rows are made (lib/rows_counted.wgsl), else all are (lib/rows.wgsl).

// a[row, 4·k4 …]: zero beyond k, where memory is undefined; the last row beyond m.
fn load_a(row: u32, k4: u32) -> vec4<f32> {
    let v = a[p.a_offset + min(row, p.m - 1u) * p.a_stride + min(k4, p.k4 - 1u)];
    return select(vec4<f32>(0.0), v, vec4<u32>(4u * k4) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(p.k));
}

// Where a part of K has its sums, in vec4s behind out_offset: see matmul_tile.
var<private> slab: u32;

// Finishes and writes columns 4·n4 … 4·n4 + 3 of a row. What lies beyond n in the
// last quad is padding of out, which may hold anything.
fn finish(row: u32, n4: u32, product: vec4<f32>) {
    if (row >= rows() || 4u * n4 >= p.n) {
        return;
    }
    let c = p.column + n4;
    var v = product;
    if ((p.flags & HAS_BIAS) != 0u) {
        v += bias[p.bias_offset + c];
    }
    if (c >= p.act_from) {
        v = activate(v);
    }
    if ((p.flags & HAS_GATE) != 0u) {
        v *= gate[p.gate_offset + c];
    }
    let at = p.out_offset + slab + row * p.out_stride + c + select(0u, p.gap_width, c >= p.gap_at);
    if ((p.flags & HAS_RESIDUAL) != 0u) {
        v += residual[p.residual_offset + row * p.residual_stride + c];
    } else if ((p.flags & IN_PLACE) != 0u) {
        v += out[at];
    }
    out[at] = v;
}

// finish of four rows.
fn finish4(row: u32, n4: u32, c: mat4x4<f32>) {
    finish(row, n4, c[0]);
    finish(row + 1u, n4, c[1]);
    finish(row + 2u, n4, c[2]);
    finish(row + 3u, n4, c[3]);
}
