// keep4 returns v with everything behind its first n elements replaced by 0: what
// a view holds behind its last column is undefined, even NaN, which no
// multiplication with 0 would remove.
fn keep4(v: vec4<f32>, n: u32) -> vec4<f32> {
    return select(vec4<f32>(0.0), v, vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(n));
}
