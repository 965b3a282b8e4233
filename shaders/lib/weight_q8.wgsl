// 8-bit weights: patch (n4, k4) is one vec4<u32>, a word for each k holding the
// quants of four columns, q + 128, lowest byte first. Scales lie apart, one vec4
// (four columns) for each group of k: w = scale · q. With minima, each vec4 of scales
// is followed by one of minima: w = scale · q + minimum.
//
// Wants from the prelude: WEIGHTS and SCALES, where they are bound, GROUP4, the quads
// of k in a group, and MINIMA. Branches on it fold away.
@group(0) @binding(WEIGHTS) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(SCALES) var<storage, read> scales: array<vec4<f32>>;

fn bytes(u: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(u) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u)) - 128.0;
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let u = weights[n4 * p.k4 + k4];
    let i = n4 * (p.k4 / GROUP4) + k4 / GROUP4;
    if (MINIMA) {
        let s = scales[2u * i];
        let m = scales[2u * i + 1u];
        return mat4x4<f32>(s * bytes(u.x) + m, s * bytes(u.y) + m, s * bytes(u.z) + m, s * bytes(u.w) + m);
    }
    let s = scales[i];
    return mat4x4<f32>(s * bytes(u.x), s * bytes(u.y), s * bytes(u.z), s * bytes(u.w));
}

// The quants of a patch as signed bytes: a word for each k. See matmul_int8.
fn weight_words(n4: u32, k4: u32) -> vec4<u32> {
    return weights[n4 * p.k4 + k4] ^ vec4<u32>(0x80808080u);
}

fn weight_scales(n4: u32, k4: u32) -> vec4<f32> {
    return scales[n4 * (p.k4 / GROUP4) + k4 / GROUP4];
}
