// operand(i) where there is none.
fn operand(i: u32) -> vec4<f32> {
    return vec4<f32>(0.0);
}
