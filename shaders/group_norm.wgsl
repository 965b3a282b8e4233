// The second half of a group norm: out = act((x − mean)/√(var + eps) · weight + bias).
//
//   x, out [pixels, channels] · weight, bias [1, channels] · moments: see group_moments.wgsl
//   one thread per four channels, each of which may be of another group, of PIXELS pixels
//
// Every thread joins the moments of all stretches of its groups, in their order, less
// the first value of the first stretch, the pivot. With a thread for each pixel that was
// most of the work: an H100 moved 176 GB/s of 2,580.
// Bindings: 1 out · 2 x · 3 moments · 4 weight · 5 bias. Libraries: activation,
// store, place. Prelude: ACT, PIXELS, WORKGROUP. CPU twin: groupNorm in engine/cpu.

struct Params {
    pixels: u32,
    channels: u32,
    out_at: u32, // these count vec4s
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    weight_at: u32,
    bias_at: u32,
    moments_at: u32,
    moments_stride: u32,
    stretches: u32,
    size: u32, // channels of a group
    eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> moments: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;

// The pivot of a group, the mean less the pivot, and one over the deviation.
fn statistics(g: u32) -> vec3<f32> {
    let pivot = moments[p.moments_at + g].y;
    var n = 0.0;
    var mean = 0.0;
    var squares = 0.0;
    for (var i = 0u; i < p.stretches; i++) {
        let m = moments[p.moments_at + i * p.moments_stride + g];
        let d = (m.y - pivot) + m.z - mean;
        let share = m.x / (n + m.x);
        squares += m.w + d * d * n * share;
        mean += d * share;
        n += m.x;
    }
    return vec3<f32>(pivot, mean, 1.0 / sqrt(squares / n + p.eps));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.channels + 3u) / 4u);
    let first = at.x * PIXELS;
    if (first >= p.pixels) {
        return;
    }
    let last = p.channels / p.size - 1u;
    var s = statistics(min(4u * at.y / p.size, last));
    var pivot = vec4<f32>(s.x);
    var mean = vec4<f32>(s.y);
    var scale = vec4<f32>(s.z);
    for (var i = 1u; i < 4u; i++) {
        let g = min((4u * at.y + i) / p.size, last);
        if (g != min((4u * at.y + i - 1u) / p.size, last)) {
            s = statistics(g);
        }
        pivot[i] = s.x;
        mean[i] = s.y;
        scale[i] = s.z;
    }
    let w = weight[p.weight_at + at.y];
    let b = bias[p.bias_at + at.y];
    for (var i = first; i < min(first + PIXELS, p.pixels); i++) {
        let v = ((x[p.x_at + i * p.x_stride + at.y] - pivot) - mean) * scale * w + b;
        store4(p.out_at + i * p.out_stride + at.y, activate(v), p.channels - 4u * at.y);
    }
}
