// The experts of every row: those of the ACTIVE highest logits, of equal ones the first. NaN
// is above all numbers, and the shares of its row are NaN, so that the stream shows it.
// For every expert e, row 2·e of out lists the rows that it was chosen for, in their order,
// and row 2·e + 1 its probability in each, softmax over all experts:
//
//	out[2·e]     = count, 0, 0, 0, row, row, …, 0, …
//	out[2·e + 1] = count, 0, 0, 0, p, p, …, 0, …
//
//   logits [rows, EXPERTS] · out [2·EXPERTS, 4 + rows]
//   one workgroup per expert; a thread has a stretch of the rows
//
// Bindings: 1 out · 2 logits. Prelude: EXPERTS, ACTIVE. CPU twin: route in engine/cpu.

const THREADS: u32 = 64u;
const HEAD: u32 = 4u;

struct Params {
    rows: u32,
    logits_at: u32, // offsets and strides count elements
    logits_stride: u32,
    out_at: u32,
    out_stride: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<storage, read> logits: array<f32>;

var<workgroup> counts: array<u32, THREADS>;

const NAN: u32 = 0xffffffffu;

// A number in whose order logits come: compilers may take it that none of them is NaN, which
// the bits tell.
fn order(logit: f32) -> u32 {
    let bits = select(bitcast<u32>(logit), 0u, logit == 0.0);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return NAN;
    }
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

// Whether the expert is among the chosen ones of a row.
fn chosen(row: u32, expert: u32) -> bool {
    let at = p.logits_at + row * p.logits_stride;
    let own = order(logits[at + expert]);
    var before = 0u;
    for (var i = 0u; i < EXPERTS; i++) {
        let other = order(logits[at + i]);
        before += select(0u, 1u, other > own || (other == own && i < expert));
    }
    return before < ACTIVE;
}

fn probability(row: u32, expert: u32) -> f32 {
    let at = p.logits_at + row * p.logits_stride;
    var highest = logits[at];
    for (var i = 1u; i < EXPERTS; i++) {
        highest = max(highest, logits[at + i]);
    }
    var sum = 0.0;
    for (var i = 0u; i < EXPERTS; i++) {
        if (order(logits[at + i]) == NAN) {
            return logits[at + i];
        }
        sum += exp(logits[at + i] - highest);
    }
    return exp(logits[at + expert] - highest) / sum;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let expert = group.x;
    let stretch = (p.rows + THREADS - 1u) / THREADS;
    let first = min(lane * stretch, p.rows);
    let end = min(first + stretch, p.rows);
    var count = 0u;
    for (var row = first; row < end; row++) {
        count += select(0u, 1u, chosen(row, expert));
    }
    counts[lane] = count;
    workgroupBarrier();
    var at = 0u;
    var all = 0u;
    for (var i = 0u; i < THREADS; i++) {
        at += select(0u, counts[i], i < lane);
        all += counts[i];
    }

    let list = p.out_at + 2u * expert * p.out_stride;
    let shares = list + p.out_stride;
    for (var row = first; row < end; row++) {
        if (chosen(row, expert)) {
            out[list + HEAD + at] = f32(row);
            out[shares + HEAD + at] = probability(row, expert);
            at++;
        }
    }
    for (var i = all + lane; i < p.rows; i += THREADS) {
        out[list + HEAD + i] = 0.0;
        out[shares + HEAD + i] = 0.0;
    }
    if (lane < HEAD) {
        let v = select(0.0, f32(all), lane == 0u);
        out[list + lane] = v;
        out[shares + lane] = v;
    }
}
