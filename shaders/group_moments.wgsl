// The first half of a group norm: count, first value, and of the values less the
// first mean and sum of squared differences from it, for each group of channels over
// a stretch of pixels. Less the first value the mean is small, and its rounding does
// not matter beside the deviation.
//
//   x [pixels, channels] → moments [stretches, 4·groups]: those of group g in one vec4
//
// A workgroup takes one group and one stretch; its threads keep running moments
// (Welford) and are joined in pairs (Chan, Golub and LeVeque), so that no digits
// are lost where the mean is large beside the deviation.
// Bindings: 1 moments, 2 x. CPU twin: groupMoments in engine/cpu.

struct Params {
    pixels: u32,
    stretch: u32, // pixels of a workgroup; the last may have fewer
    size: u32, // channels of a group
    x_at: u32, // these count elements
    x_stride: u32,
    moments_at: u32, // these count vec4s
    moments_stride: u32,
}

const LANES = 64u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> moments: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

var<workgroup> parts: array<vec3<f32>, LANES>; // count, mean, sum of squares

fn join(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    let n = a.x + b.x;
    let d = b.y - a.y;
    let share = select(0.0, b.x / max(n, 1.0), n > 0.0);
    return vec3<f32>(n, a.y + d * share, a.z + b.z + d * d * a.x * share);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = group.y * p.stretch;
    let count = (min(first + p.stretch, p.pixels) - first) * p.size;
    let pivot = x[p.x_at + first * p.x_stride + group.x * p.size];
    var m = vec3<f32>(0.0);
    for (var i = lane; i < count; i += LANES) {
        let v = x[p.x_at + (first + i / p.size) * p.x_stride + group.x * p.size + i % p.size] - pivot;
        let n = m.x + 1.0;
        let d = v - m.y;
        let mean = m.y + d / n;
        m = vec3<f32>(n, mean, m.z + d * (v - mean));
    }
    parts[lane] = m;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) {
            parts[lane] = join(parts[lane], parts[lane + half]);
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        moments[p.moments_at + group.y * p.moments_stride + group.x] = vec4<f32>(parts[0].x, pivot, parts[0].yz);
    }
}
