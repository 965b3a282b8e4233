// Weights as f32: patch (n4, k4) is four vec4, one for each k.
// Wants from the prelude: WEIGHTS, where they are bound.
@group(0) @binding(WEIGHTS) var<storage, read> weights: array<vec4<f32>>;

fn weight_patch(n4: u32, k4: u32) -> mat4x4<f32> {
    let i = 4u * (n4 * p.k4 + k4);
    return mat4x4<f32>(weights[i], weights[i + 1u], weights[i + 2u], weights[i + 3u]);
}
