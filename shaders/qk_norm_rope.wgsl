// In place on the queries and keys of y: the RMS norm of each head, then the
// rotary embedding of its pairs (RoFormer, arXiv 2104.09864; interleaved as in FLUX).
//
//   v ← v/√(mean(v²) + eps) · w
//   (a, b) ← (a·cos − b·sin, a·sin + b·cos)
//
//   y [rows, ≥ 2·heads·size]: columns q | k · w: qw for q, kw for k, [1, size]
//   rope [rows, size]: cos, sin of pair i at columns 2i, 2i + 1
//   LANES threads per head of q or k of a row
//
// Bindings: 1 y · 2 qw · 3 kw · 4 rope (any other where absent). Libraries: reduce
// or reduce_alone. Prelude: WORKGROUP, LANES, SIZE4 (size/4), NORM, ROPE.
// CPU twin: qkNormRoPE in engine/cpu.

struct Params {
    rows: u32,
    heads: u32,
    y_at: u32, // offsets and strides count vec4s
    y_stride: u32,
    qw_at: u32,
    kw_at: u32,
    rope_at: u32,
    rope_stride: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> qw: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> kw: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> rope: array<vec4<f32>>;

fn rotate(v: vec4<f32>, r: vec4<f32>) -> vec4<f32> {
    return vec4<f32>(v.x * r.x - v.y * r.y, v.x * r.y + v.y * r.x, v.z * r.z - v.w * r.w, v.z * r.w + v.w * r.z);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let item = (group.y * groups.x + group.x) * (WORKGROUP / LANES) + lane / LANES;
    let items = p.rows * 2u * p.heads;
    let at = min(item, items - 1u); // threads out of range must still reach the barriers
    let row = at / (2u * p.heads);
    let head = at % (2u * p.heads); // the heads of k follow those of q
    let start = p.y_at + row * p.y_stride + head * SIZE4;

    var scale = 1.0;
    if (NORM) {
        var squares = vec4<f32>(0.0);
        for (var c = lane % LANES; c < SIZE4; c += LANES) {
            squares += y[start + c] * y[start + c];
        }
        scale = 1.0 / sqrt(reduce(lane, vec2<f32>(dot(squares, vec4<f32>(1.0)), 0.0)).x / f32(4u * SIZE4) + p.eps);
    }
    if (item >= items) {
        return;
    }
    for (var c = lane % LANES; c < SIZE4; c += LANES) {
        var v = y[start + c];
        if (NORM) {
            if (head < p.heads) {
                v = v * scale * qw[p.qw_at + c];
            } else {
                v = v * scale * kw[p.kw_at + c];
            }
        }
        if (ROPE) {
            v = rotate(v, rope[p.rope_at + row * p.rope_stride + c]);
        }
        y[start + c] = v;
    }
}
