// 4-bit weights: patch (n4, k4) is one vec2<u32>, each word holding two k of four
// columns as nibbles, lowest first: q + 8, or q with minima. Scales, minima and what is
// wanted from the prelude as in weight_q8.
@group(0) @binding(WEIGHTS) var<storage, read> weights: array<vec2<u32>>;
@group(0) @binding(SCALES) var<storage, read> scales: array<vec4<f32>>;

fn nibbles(u: u32) -> vec4<f32> {
    return vec4<f32>((vec4<u32>(u) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u)) - select(8.0, 0.0, MINIMA);
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let u = weights[n4 * p.k4 + k4];
    let i = n4 * (p.k4 / GROUP4) + k4 / GROUP4;
    if (MINIMA) {
        let s = scales[2u * i];
        let m = scales[2u * i + 1u];
        return mat4x4<f32>(s * nibbles(u.x) + m, s * nibbles(u.x >> 16u) + m, s * nibbles(u.y) + m, s * nibbles(u.y >> 16u) + m);
    }
    let s = scales[i];
    return mat4x4<f32>(s * nibbles(u.x), s * nibbles(u.x >> 16u), s * nibbles(u.y), s * nibbles(u.y >> 16u));
}

// Two k of four columns as signed bytes.
fn spread(u: u32) -> vec2<u32> {
    let v = vec2<u32>(u, u >> 16u);
    let b = (v & vec2<u32>(0xfu)) | ((v & vec2<u32>(0xf0u)) << vec2<u32>(4u)) |
            ((v & vec2<u32>(0xf00u)) << vec2<u32>(8u)) | ((v & vec2<u32>(0xf000u)) << vec2<u32>(12u));
    return ((b | vec2<u32>(0x80808080u)) - vec2<u32>(0x08080808u)) ^ vec2<u32>(0x80808080u);
}

// The quants of a patch as signed bytes: a word for each k. See matmul_int8.
fn weight_words(n4: u32, k4: u32) -> vec4<u32> {
    let u = weights[n4 * p.k4 + k4];
    return vec4<u32>(spread(u.x), spread(u.y));
}

fn weight_scales(n4: u32, k4: u32) -> vec4<f32> {
    return scales[n4 * (p.k4 / GROUP4) + k4 / GROUP4];
}
