// reduce sums v over the LANES neighbouring threads that work on one row, by
// halving in workgroup memory. LANES is a power of two that divides WORKGROUP;
// every thread of the workgroup must call it. See reduce_alone.
var<workgroup> reduce_parts: array<vec2<f32>, WORKGROUP>;

fn reduce(lane: u32, v: vec2<f32>) -> vec2<f32> {
    workgroupBarrier(); // the last sum may still be being read
    reduce_parts[lane] = v;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane % LANES < half) {
            reduce_parts[lane] += reduce_parts[lane + half];
        }
        workgroupBarrier();
    }
    return reduce_parts[lane - lane % LANES];
}
