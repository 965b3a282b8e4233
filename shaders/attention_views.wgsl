// Attention between any views: softmax(scale·q·kᵀ + bias + mask)·v.
//
// A workgroup takes one query of one head and walks the keys by 64: each thread
// makes one key's logit, then the weights are shared and each thread adds up its
// columns of v. The softmax runs on line: what was summed shrinks whenever a larger
// logit is met.
// Libraries: parted (shapes, bindings, prelude). The head size is a parameter, so that
// one pipeline serves all.
// CPU twin: attention in engine/cpu.

const LANES = 64u;
const LOWEST = -3e38;
const MOST = 128u;
const COLUMNS = MOST / LANES; // vec4s of the result for each thread

var<workgroup> query: array<vec4<f32>, MOST>;
var<workgroup> weights: array<f32, LANES>;
var<workgroup> shared_top: f32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = p.first + group.x;
    let head = group.y;
    let kv = head / p.group * p.size;
    for (var c = lane; c < p.size; c += LANES) {
        query[c] = q[p.q_at + row * p.q_stride + head * p.size + c];
    }
    let end = select(p.keys, min(p.keys, row + 1u), p.causal != 0u);
    var top = LOWEST;
    var total = 0.0;
    var sum: array<vec4<f32>, COLUMNS>;
    workgroupBarrier();
    for (var first = 0u; first < end; first += LANES) {
        // Threads without a key of their own still have to reach the barriers.
        let key = first + lane;
        var s = LOWEST;
        if (key < end) {
            var dots = vec4<f32>(0.0);
            let at = p.k_at + key * p.k_stride + kv;
            for (var c = 0u; c < p.size; c++) {
                dots = fma(query[c], k[at + c], dots);
            }
            s = p.scale * (dots.x + dots.y + dots.z + dots.w);
            if (BIAS) {
                s += LOG2E * bias[p.bias_at + (head * p.bias_rows + row) * p.bias_stride + key];
            }
            if (MASK) {
                s = max(s + LOG2E * mask[p.mask_at + key], LOWEST);
            }
        }
        weights[lane] = s;
        workgroupBarrier();
        if (lane == 0u) {
            var most = LOWEST;
            for (var i = 0u; i < LANES; i++) {
                most = max(most, weights[i]);
            }
            shared_top = most;
        }
        workgroupBarrier();
        let last = top;
        top = max(top, shared_top);
        let shrink = select(exp2(max(last - top, -120.0)), 0.0, last - top < -120.0);
        // Far below the top a weight is exactly 0, whatever the value it would meet.
        let w = select(exp2(max(s - top, -120.0)), 0.0, key >= end || s - top < -120.0);
        weights[lane] = w;
        workgroupBarrier();
        total *= shrink;
        let count = min(LANES, end - first);
        for (var i = 0u; i < count; i++) {
            total += weights[i];
        }
        for (var n = 0u; n < COLUMNS; n++) {
            let c = n * LANES + lane;
            if (c < p.size) {
                var o = sum[n] * shrink;
                for (var i = 0u; i < count; i++) {
                    let value = v[p.v_at + (first + i) * p.v_stride + kv + c];
                    o = fma(vec4<f32>(weights[i]), value, o);
                }
                sum[n] = o;
            }
        }
        workgroupBarrier();
    }
    for (var n = 0u; n < COLUMNS; n++) {
        let c = n * LANES + lane;
        if (c < p.size) {
            out[p.out_at + row * p.out_stride + head * p.size + c] = sum[n] / total;
        }
    }
}
