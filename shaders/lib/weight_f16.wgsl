// Weights as packed halves: patch (n4, k4) is two vec4<u32>, each holding two k of
// four columns. Needs no shader-f16.
// Wants from the prelude: WEIGHTS, where they are bound, and BFLOAT, whether they are BF16.
@group(0) @binding(WEIGHTS) var<storage, read> weights: array<vec4<u32>>;

fn halves(x: u32, y: u32) -> vec4<f32> {
    if (BFLOAT) { // the upper half of an f32
        return bitcast<vec4<f32>>(vec4<u32>(x << 16u, x & 0xffff0000u, y << 16u, y & 0xffff0000u));
    }
    return vec4<f32>(unpack2x16float(x), unpack2x16float(y));
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let i = 2u * (n4 * p.k4 + k4);
    let u = weights[i];
    let v = weights[i + 1u];
    return mat4x4<f32>(halves(u.x, u.y), halves(u.z, u.w), halves(v.x, v.y), halves(v.z, v.w));
}
