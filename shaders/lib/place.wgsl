// place turns the number of a thread in a dispatch that may be folded into two
// dimensions (no dimension may exceed 65,535 workgroups) into (row, column) of a
// matrix with width columns. const WORKGROUP: u32 is the workgroup's size.
fn place(group: vec3<u32>, groups: vec3<u32>, lane: u32, width: u32) -> vec2<u32> {
    let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
    return vec2<u32>(i / width, i % width);
}
