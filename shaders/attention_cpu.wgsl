// Attention as in attention.wgsl, for software adapters: no workgroup memory and no
// barriers. Each thread takes four queries of one head and walks the keys by eight, the
// same keys as the other threads of its workgroup, which hand them to one another where
// they can (lib/attention_rows_lanes.wgsl). Results lie in memory too: the fewer steps,
// the less often they are read and written; with 16 keys a step, registers are short.
//
// Matrices of scores and weights have queries as columns, keys as rows, and where t is in
// their names keys as columns. Libraries: mac, f32, packed or parted (shapes, bindings),
// scores, attention_rows. Prelude: WORKGROUP, SIZE4 (size/4), and of a head's result, what a thread
// makes: COLUMNS vec4s, the share of one in PARTS. CPU twin: attention in engine/cpu.

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
        let t0 = seen(p.scale * s0, head, row, key, limit);
        let t1 = seen(p.scale * s1, head, row, key + 4u, limit);
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
