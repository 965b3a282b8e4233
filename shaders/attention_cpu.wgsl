// Attention as in attention.wgsl, for software adapters: no workgroup memory and no
// barriers. Each thread takes four queries of one head and walks the keys by eight, the
// same keys as the other threads of its workgroup, which hand them to one another where
// they can (lib/attention_rows_lanes.wgsl). Results lie in memory too: the fewer steps,
// the less often they are read and written; with 16 keys a step, registers are short.
//
// Matrices of scores and weights have queries as columns, keys as rows, and where t is in
// their names keys as columns. Libraries: mac, f32, packed or parted (shapes, bindings),
// attention_rows. Prelude: WORKGROUP, SIZE4 (size/4), and of a head's result, what a thread
// makes: COLUMNS vec4s, the share of one in PARTS. CPU twin: attention in engine/cpu.

// Where the scores of keys that do not count lie, and how low all others may be.
const HIDDEN = -3e38;
const LOWEST = -1e37;

// The scores of four queries, from row on, with four keys, of which each may see those up to
// its limit.
fn seen(s: mat4x4<f32>, head: u32, row: u32, key: u32, limit: vec4<u32>) -> mat4x4<f32> {
    let t = transpose(s);
    return mat4x4<f32>(see(t[0], head, row, key, limit), see(t[1], head, row, key + 1u, limit),
                       see(t[2], head, row, key + 2u, limit), see(t[3], head, row, key + 3u, limit));
}

fn see(s: vec4<f32>, head: u32, row: u32, key: u32, limit: vec4<u32>) -> vec4<f32> {
    let t = max(added(p.scale * s, head, row, min(key, keys() - 1u)), vec4<f32>(LOWEST));
    return select(vec4<f32>(HIDDEN), t, vec4<u32>(key) <= limit);
}

fn highest(t: mat4x4<f32>) -> vec4<f32> {
    return max(max(t[0], t[1]), max(t[2], t[3]));
}

// The weights of scores; exactly 0 where they are HIDDEN or too far below the top.
fn weigh(t: mat4x4<f32>, top: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(weight(t[0], top), weight(t[1], top), weight(t[2], top), weight(t[3], top));
}

fn weight(s: vec4<f32>, top: vec4<f32>) -> vec4<f32> {
    let none = (s < vec4<f32>(2.0 * LOWEST)) | (s - top < vec4<f32>(-120.0));
    return select(exp2(max(s - top, vec4<f32>(-120.0))), vec4<f32>(0.0), none);
}

// Where four rows begin; behind the end, the last one.
fn starts(part: u32, rows: vec4<u32>, count: u32, head: u32) -> vec4<u32> {
    let r = min(rows, vec4<u32>(count - 1u));
    return vec4<u32>(start(part, r.x, head), start(part, r.y, head), start(part, r.z, head), start(part, r.w, head));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // All threads walk the same keys, those without a query too.
    let after = (p.first + group.x + 1u) * WORKGROUP * 4u;
    let row = after - (WORKGROUP - thread) * 4u;
    let rows = row + vec4<u32>(0u, 1u, 2u, 3u);
    let head = group.y / PARTS;
    let column = group.y % PARTS * COLUMNS;
    let columns = min(COLUMNS, SIZE4 - column);
    let own = lane();
    let at = starts(0u, rows, p.rows, head);
    var limit = vec4<u32>(keys() - 1u);
    var end = keys();
    if (p.causal != 0u) {
        limit = min(limit, rows);
        end = min(end, after);
    }
    var top = vec4<f32>(HIDDEN);
    var total = vec4<f32>(0.0);
    var o: array<mat4x4<f32>, COLUMNS>;
    for (var key = 0u; key < end; key += 8u) {
        let k0 = four_starts(1u, key, head, own);
        let k1 = four_starts(1u, key + 4u, head, own);
        var s0 = mat4x4<f32>();
        var s1 = mat4x4<f32>();
        for (var c = 0u; c < SIZE4; c++) {
            let x = mat4x4<f32>(fetch(0u, at.x + c), fetch(0u, at.y + c), fetch(0u, at.z + c), fetch(0u, at.w + c));
            s0 = mac4(s0, transpose(four_rows(1u, k0, c)), x);
            s1 = mac4(s1, transpose(four_rows(1u, k1, c)), x);
        }
        let t0 = seen(s0, head, row, key, limit);
        let t1 = seen(s1, head, row, key + 4u, limit);
        let last = top;
        top = max(top, max(highest(t0), highest(t1)));
        let shrink = exp2(max(last - top, vec4<f32>(-120.0)));
        let weights_t0 = weigh(t0, top);
        let weights_t1 = weigh(t1, top);
        total = fma(total, shrink, (weights_t0 + weights_t1) * vec4<f32>(1.0));
        let w0 = transpose(weights_t0);
        let w1 = transpose(weights_t1);
        let v0 = four_starts(2u, key, head, own);
        let v1 = four_starts(2u, key + 4u, head, own);
        for (var c = 0u; c < columns; c++) {
            let old = o[c];
            let shrunk = mat4x4<f32>(old[0] * shrink.x, old[1] * shrink.y, old[2] * shrink.z, old[3] * shrink.w);
            o[c] = mac4(mac4(shrunk, four_rows(2u, v0, column + c), w0), four_rows(2u, v1, column + c), w1);
        }
    }
    for (var i = 0u; i < 4u && row + i < p.rows; i++) {
        for (var c = 0u; c < columns; c++) {
            write_out(row + i, head, column + c, o[c][i] / total[i]);
        }
    }
}
