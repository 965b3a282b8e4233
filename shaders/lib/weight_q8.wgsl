// 8-bit weights: patch (n4, k4) is one vec4<u32>, a word for each k holding the
// quants of four columns, q + 128, lowest byte first. Scales lie apart, one vec4
// (four columns) for each block of 32 k: w = scale · q.
@group(0) @binding(6) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> scales: array<vec4<f32>>;

fn bytes(u: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(u) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u)) - 128.0;
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let u = weights[n4 * p.k4 + k4];
    let s = scales[n4 * (p.k4 / 8u) + k4 / 8u];
    return mat4x4<f32>(s * bytes(u.x), s * bytes(u.y), s * bytes(u.z), s * bytes(u.w));
}
