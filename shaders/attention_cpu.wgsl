// Attention as in attention.wgsl, for software adapters: no workgroup memory and no
// barriers. Each thread takes four queries of one head and walks the keys by eight, the
// same keys as the other threads of its workgroup, which hand them to one another where
// they can (lib/attention_rows_lanes.wgsl). Results lie in memory too: the fewer steps,
// the less often they are read and written; with 16 keys a step, registers are short.
//
//   y [rows, ≥ 4·heads·size]: columns q | k | v | out
//
// Matrices of scores and weights have queries as columns, keys as rows.
// Libraries: mac, f32, packed (bindings), attention_rows. Prelude: WORKGROUP, SIZE4 (size/4).
// CPU twin: attention in engine/cpu.

const MASKED = -1e30;

// The weights of one query's keys; exactly 0 where masked.
fn weight(s: vec4<f32>, top: f32) -> vec4<f32> {
    return select(exp2(max(s - top, vec4<f32>(-120.0))), vec4<f32>(0.0), s < vec4<f32>(0.1 * MASKED));
}

fn weights(s: mat4x4<f32>, top: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(weight(s[0], top.x), weight(s[1], top.y), weight(s[2], top.z), weight(s[3], top.w));
}

// Scores with four keys, of which each query may see those up to its limit.
fn visible(s: mat4x4<f32>, first: u32, limit: vec4<u32>) -> mat4x4<f32> {
    let keys = first + vec4<u32>(0u, 1u, 2u, 3u);
    let mask = vec4<f32>(MASKED);
    return mat4x4<f32>(select(mask, p.scale * s[0], keys <= vec4<u32>(limit.x)), select(mask, p.scale * s[1], keys <= vec4<u32>(limit.y)),
                       select(mask, p.scale * s[2], keys <= vec4<u32>(limit.z)), select(mask, p.scale * s[3], keys <= vec4<u32>(limit.w)));
}

// The largest score of each query.
fn highest(s: mat4x4<f32>) -> vec4<f32> {
    let t = transpose(s);
    return max(max(t[0], t[1]), max(t[2], t[3]));
}

// Where rows of a part (q, k, v, out: 0 … 3) of a head begin; behind the end, the last one.
fn starts(part: u32, rows: vec4<u32>, head: u32) -> vec4<u32> {
    return p.y_at + min(rows, vec4<u32>(p.rows - 1u)) * p.y_stride + part * p.part + head * SIZE4;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    // All threads walk the same keys, those without a query too.
    let after = (p.first + group.x + 1u) * WORKGROUP * 4u;
    let rows = after - (WORKGROUP - thread) * 4u + vec4<u32>(0u, 1u, 2u, 3u);
    let head = group.y;
    let own = lane();
    let q = starts(0u, rows, head);
    var limit = vec4<u32>(p.rows - 1u);
    var end = p.rows;
    if (p.causal != 0u) {
        limit = min(limit, rows);
        end = min(end, after);
    }
    var top = vec4<f32>(MASKED);
    var total = vec4<f32>(0.0);
    var o: array<mat4x4<f32>, SIZE4>;
    for (var key = 0u; key < end; key += 8u) {
        let k0 = four_starts(1u, key, head, own);
        let k1 = four_starts(1u, key + 4u, head, own);
        var s0 = mat4x4<f32>();
        var s1 = mat4x4<f32>();
        for (var c = 0u; c < SIZE4; c++) {
            let x = mat4x4<f32>(y[q.x + c], y[q.y + c], y[q.z + c], y[q.w + c]);
            s0 = mac4(s0, transpose(four_rows(k0, c)), x);
            s1 = mac4(s1, transpose(four_rows(k1, c)), x);
        }
        s0 = visible(s0, key, limit);
        s1 = visible(s1, key + 4u, limit);
        let last = top;
        top = max(top, max(highest(s0), highest(s1)));
        let shrink = exp2(max(last - top, vec4<f32>(-120.0)));
        let w0 = weights(s0, top);
        let w1 = weights(s1, top);
        total = fma(total, shrink, vec4<f32>(1.0) * (w0 + w1));
        let v0 = four_starts(2u, key, head, own);
        let v1 = four_starts(2u, key + 4u, head, own);
        for (var c = 0u; c < SIZE4; c++) {
            let old = o[c];
            let shrunk = mat4x4<f32>(old[0] * shrink.x, old[1] * shrink.y, old[2] * shrink.z, old[3] * shrink.w);
            o[c] = mac4(mac4(shrunk, four_rows(v0, c), w0), four_rows(v1, c), w1);
        }
    }
    let out = starts(3u, rows, head);
    for (var i = 0u; i < 4u && rows[i] < p.rows; i++) {
        for (var c = 0u; c < SIZE4; c++) {
            y[out[i] + c] = o[c][i] / total[i];
        }
    }
}
