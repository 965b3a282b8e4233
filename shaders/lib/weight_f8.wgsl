// Weights of 8-bit floats: patch (n4, k4) is one vec4<u32>, a word for each k holding
// the codes of four columns, lowest byte first. One scale for each column lies apart,
// four in a vec4: w = scale · value.
//
// Wants from the prelude: WEIGHTS and SCALES, where they are bound, and MANTISSA: 3 for
// E4M3, 2 for E5M2.
@group(0) @binding(WEIGHTS) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(SCALES) var<storage, read> scales: array<vec4<f32>>;

const BIAS: u32 = (1u << (6u - MANTISSA)) - 1u;

// The values of four finite codes: a whole number times a power of two, because an f32
// made of a subnormal's bits could be flushed to zero.
fn floats(u: u32) -> vec4<f32> {
    let code = (vec4<u32>(u) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
    let exponent = (code & vec4<u32>(127u)) >> vec4<u32>(MANTISSA);
    let mantissa = code & vec4<u32>((1u << MANTISSA) - 1u);
    let whole = mantissa | select(vec4<u32>(1u << MANTISSA), vec4<u32>(0u), exponent == vec4<u32>(0u));
    let power = bitcast<vec4<f32>>((max(exponent, vec4<u32>(1u)) + vec4<u32>(127u - BIAS - MANTISSA)) << vec4<u32>(23u));
    let sign = select(vec4<f32>(1.0), vec4<f32>(-1.0), code > vec4<u32>(127u));
    return sign * vec4<f32>(whole) * power;
}

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let u = weights[n4 * p.k4 + k4];
    let s = scales[n4];
    return mat4x4<f32>(s * floats(u.x), s * floats(u.y), s * floats(u.z), s * floats(u.w));
}
