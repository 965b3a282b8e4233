// operand(i) is four elements of a second input, which the prelude places:
// const OPERAND: u32 = its binding. See operand_in_place and operand_none.
@group(0) @binding(OPERAND) var<storage, read> operand_data: array<vec4<f32>>;

fn operand(i: u32) -> vec4<f32> {
    return operand_data[i];
}
