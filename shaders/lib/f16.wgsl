// What products are made of: operands and blocks of sums in f16. Blocks are added up in
// f32, so errors do not grow with their number; but the sums of one may not exceed 65,504.
// Operands are kept below that. See f32.
alias operand4 = vec4<f16>;
alias block = mat4x4<f16>;

fn rounded(v: vec4<f32>) -> operand4 {
    return operand4(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0)));
}

fn begin(c: mat4x4<f32>) -> block {
    return block();
}

fn end(c: mat4x4<f32>, b: block) -> mat4x4<f32> {
    return c + mat4x4<f32>(b);
}
