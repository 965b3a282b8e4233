// Adds up what the workgroups of a divided K have summed (see matmul_tile.wgsl), always in the
// same order, and finishes the outputs: see lib/matmul.wgsl. CPU twin: matMul in engine/cpu.
//
//   a [m, n], the sums of the first part, and behind each other those of the others; one
//   thread per four columns
//
// Libraries: activation, rows or rows_counted, matmul, place. Prelude: ACT, WORKGROUP.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.n + 3u) / 4u);
    if (at.x >= rows()) {
        return;
    }
    var i = p.a_offset + at.x * p.a_stride + at.y;
    var sum = a[i];
    for (var k4 = p.share; k4 < p.k4; k4 += p.share) {
        i += p.slab;
        sum += a[i];
    }
    finish(at.x, at.y, sum);
}
