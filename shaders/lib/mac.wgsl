// mac returns a + m·x, one fused multiply-add per column: written as a + m * x
// the product would be formed first and cost one instruction more in five.
fn mac(a: vec4<f32>, m: mat4x4<f32>, x: vec4<f32>) -> vec4<f32> {
    return fma(m[3], vec4<f32>(x.w), fma(m[2], vec4<f32>(x.z), fma(m[1], vec4<f32>(x.y), fma(m[0], vec4<f32>(x.x), a))));
}

// mac4 returns a + m·x for the four columns of x.
fn mac4(a: mat4x4<f32>, m: mat4x4<f32>, x: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(mac(a[0], m, x[0]), mac(a[1], m, x[1]), mac(a[2], m, x[2]), mac(a[3], m, x[3]));
}
