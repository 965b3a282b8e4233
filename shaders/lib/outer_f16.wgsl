// Sums of products in f32, of operands in f16: a block of sums is made in f16, begins with
// zero and is added in f32. So errors do not grow with the number of blocks, but a block
// may not exceed 65,504. Operands are kept below that. See outer.
alias operand4 = vec4<f16>;
alias block = mat4x4<f16>;

fn rounded(v: vec4<f32>) -> operand4 {
    return operand4(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0)));
}

fn outer(c: block, x: operand4, y: operand4) -> block {
    return block(fma(x.xxxx, y, c[0]), fma(x.yyyy, y, c[1]), fma(x.zzzz, y, c[2]), fma(x.wwww, y, c[3]));
}

fn begin(c: mat4x4<f32>) -> block {
    return block();
}

fn end(c: mat4x4<f32>, b: block) -> mat4x4<f32> {
    return c + mat4x4<f32>(b);
}
