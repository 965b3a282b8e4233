// What products are made of: operands and blocks of sums in f32. See f16.
alias operand4 = vec4<f32>;
alias block = mat4x4<f32>;

fn rounded(v: vec4<f32>) -> operand4 {
    return v;
}

// A block of sums begins with what there is already, …
fn begin(c: mat4x4<f32>) -> block {
    return c;
}

// … and is then all there is.
fn end(c: mat4x4<f32>, b: block) -> mat4x4<f32> {
    return b;
}
