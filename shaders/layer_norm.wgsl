// out = (x − mean)/√(var + eps) · weight + bias over each row.
//
//   x, out [rows, cols], any strides · weight, bias [1, cols] or absent
//   LANES threads per row
//
// The variance is taken in two passes, from the differences to the mean, and both
// are corrected by what the rounded mean left over (Chan, Golub and LeVeque): no
// digits are lost where |mean| is large beside the deviation, or the reverse.
//
// Bindings: 1 out · 2 x · 3 weight · 4 bias (x where absent). Libraries: keep,
// store, reduce or reduce_alone. Prelude: WORKGROUP, LANES, WEIGHT (0 none, 1 as
// it is, 2 one plus it), BIAS. CPU twin: layerNorm in engine/cpu.

struct Params {
    rows: u32,
    cols: u32,
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    weight_at: u32,
    bias_at: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = (group.y * groups.x + group.x) * (WORKGROUP / LANES) + lane / LANES;
    let start = p.x_at + min(row, p.rows - 1u) * p.x_stride; // threads out of range must still reach the barriers
    let width = (p.cols + 3u) / 4u;
    let n = f32(p.cols);
    let one = vec4<f32>(1.0);

    var sum = vec4<f32>(0.0);
    for (var c = lane % LANES; c < width; c += LANES) {
        sum += keep4(x[start + c], p.cols - 4u * c);
    }
    let mean = reduce(lane, vec2<f32>(dot(sum, one), 0.0)).x / n;

    sum = vec4<f32>(0.0);
    var squares = vec4<f32>(0.0);
    for (var c = lane % LANES; c < width; c += LANES) {
        let d = keep4(x[start + c] - mean, p.cols - 4u * c);
        sum += d;
        squares += d * d;
    }
    let moments = reduce(lane, vec2<f32>(dot(sum, one), dot(squares, one))) / n;
    let left = moments.x;
    let scale = 1.0 / sqrt(max(moments.y - left * left, 0.0) + p.eps);

    if (row >= p.rows) {
        return;
    }
    for (var c = lane % LANES; c < width; c += LANES) {
        var v = ((x[start + c] - mean) - left) * scale;
        if (WEIGHT == 1u) {
            v *= weight[p.weight_at + c];
        }
        if (WEIGHT == 2u) {
            v *= 1.0 + weight[p.weight_at + c];
        }
        if (BIAS) {
            v += bias[p.bias_at + c];
        }
        store4(p.out_at + row * p.out_stride + c, v, p.cols - 4u * c);
    }
}
