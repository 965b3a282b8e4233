// outer returns c + x ⊗ y: four rows (x) by four columns (y).
fn outer(c: mat4x4<f32>, x: vec4<f32>, y: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        fma(x.xxxx, y, c[0]),
        fma(x.yyyy, y, c[1]),
        fma(x.zzzz, y, c[2]),
        fma(x.wwww, y, c[3]),
    );
}
