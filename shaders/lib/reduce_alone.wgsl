// reduce where one thread works on a row alone (LANES = 1): no workgroup memory
// and no barrier, which software adapters pay dearly for.
fn reduce(lane: u32, v: vec2<f32>) -> vec2<f32> {
    return v;
}
