// Attention as in attention.wgsl, for software adapters: no workgroup memory and no
// barriers. Each thread takes four queries of one head and walks the keys by fours.
//
//   y [rows, ≥ 4·heads·size]: columns q | k | v | out
//
// Matrices of scores and weights have queries as columns, keys as rows.
// Libraries: mac, f32, packed (bindings). Prelude: WORKGROUP, SIZE4 (size/4).
// CPU twin: attention in engine/cpu.

const MASKED = -1e30;

// The weights of one query's keys; exactly 0 where masked.
fn weight(s: vec4<f32>, top: f32) -> vec4<f32> {
    return select(exp2(max(s - top, vec4<f32>(-120.0))), vec4<f32>(0.0), s < vec4<f32>(0.1 * MASKED));
}

// Where rows first … first + 3 of a part (q, k, v, out: 0 … 3) of a head begin;
// rows behind the end fall on the last one.
fn starts(part: u32, first: u32, head: u32) -> vec4<u32> {
    let rows = min(first + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.rows - 1u));
    return p.y_at + rows * p.y_stride + part * p.part + head * SIZE4;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    let first = (p.first * WORKGROUP + thread.x) * 4u;
    if (first >= p.rows) {
        return;
    }
    let head = thread.y;
    let q = starts(0u, first, head);
    var limit = vec4<u32>(p.rows - 1u);
    var end = p.rows;
    if (p.causal != 0u) {
        limit = min(limit, first + vec4<u32>(0u, 1u, 2u, 3u));
        end = min(end, first + 4u);
    }
    var top = vec4<f32>(MASKED);
    var total = vec4<f32>(0.0);
    var o: array<mat4x4<f32>, SIZE4>;
    for (var key = 0u; key < end; key += 4u) {
        let k = starts(1u, key, head);
        var s = mat4x4<f32>();
        for (var c = 0u; c < SIZE4; c++) {
            s = mac4(s, transpose(mat4x4<f32>(y[k.x + c], y[k.y + c], y[k.z + c], y[k.w + c])),
                     mat4x4<f32>(y[q.x + c], y[q.y + c], y[q.z + c], y[q.w + c]));
        }
        let keys = key + vec4<u32>(0u, 1u, 2u, 3u);
        let mask = vec4<f32>(MASKED);
        s = mat4x4<f32>(select(mask, p.scale * s[0], keys <= vec4<u32>(limit.x)), select(mask, p.scale * s[1], keys <= vec4<u32>(limit.y)),
                        select(mask, p.scale * s[2], keys <= vec4<u32>(limit.z)), select(mask, p.scale * s[3], keys <= vec4<u32>(limit.w)));
        let t = transpose(s);
        let last = top;
        top = max(top, max(max(t[0], t[1]), max(t[2], t[3])));
        let shrink = exp2(max(last - top, vec4<f32>(-120.0)));
        let w = mat4x4<f32>(weight(s[0], top.x), weight(s[1], top.y), weight(s[2], top.z), weight(s[3], top.w));
        total = fma(total, shrink, vec4<f32>(1.0) * w);
        let v = starts(2u, key, head);
        for (var c = 0u; c < SIZE4; c++) {
            let old = o[c];
            o[c] = mac4(mat4x4<f32>(old[0] * shrink.x, old[1] * shrink.y, old[2] * shrink.z, old[3] * shrink.w),
                        mat4x4<f32>(y[v.x + c], y[v.y + c], y[v.z + c], y[v.w + c]), w);
        }
    }
    let out = starts(3u, first, head);
    for (var i = 0u; i < min(4u, p.rows - first); i++) {
        for (var c = 0u; c < SIZE4; c++) {
            y[out[i] + c] = o[c][i] / total[i];
        }
    }
}
