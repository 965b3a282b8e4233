// operand(i) where the operand is the output itself, which WebGPU allows to be
// bound only once.
fn operand(i: u32) -> vec4<f32> {
    return out[i];
}
