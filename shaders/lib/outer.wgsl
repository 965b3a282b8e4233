// Sums of products in f32, of operands in f32: outer adds x ⊗ y, four rows (x) by four
// columns (y); a block of sums begins with what there is. See outer_f16.
alias operand4 = vec4<f32>;
alias block = mat4x4<f32>;

fn rounded(v: vec4<f32>) -> operand4 {
    return v;
}

fn outer(c: block, x: operand4, y: operand4) -> block {
    return block(fma(x.xxxx, y, c[0]), fma(x.yyyy, y, c[1]), fma(x.zzzz, y, c[2]), fma(x.wwww, y, c[3]));
}

fn begin(c: mat4x4<f32>) -> block {
    return c;
}

fn end(c: mat4x4<f32>, b: block) -> mat4x4<f32> {
    return b;
}
