// 4-bit weights: patch (n4, k4) is one vec2<u32>, each word holding two k of four
// columns as nibbles q + 8, lowest first. Scales as in weight_q8.
@group(0) @binding(6) var<storage, read> weights: array<vec2<u32>>;
@group(0) @binding(7) var<storage, read> scales: array<vec4<f32>>;

fn nibbles(u: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(u) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u)) - 8.0;
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let u = weights[n4 * p.k4 + k4];
    let s = scales[n4 * (p.k4 / 8u) + k4 / 8u];
    return mat4x4<f32>(s * nibbles(u.x), s * nibbles(u.x >> 16u), s * nibbles(u.y), s * nibbles(u.y >> 16u));
}
