// each calls one(row, column), which the kernel declares, for every column of rows() rows,
// width of them. Of the rows that a list counts there may be more than there are threads
// for: each has several elements then. Libraries: place, rows or rows_counted.
fn each(group: vec3<u32>, groups: vec3<u32>, lane: u32, width: u32) {
    if (!COUNTED) {
        let at = place(group, groups, lane, width);
        if (at.x < rows()) {
            one(at.x, at.y);
        }
        return;
    }
    let end = rows() * width;
    var i = place(group, groups, lane, 1u).x;
    loop {
        if (i < end) {
            one(i / width, i % width);
        }
        continuing { // tested here: see matmul_cpu.wgsl
            i += groups.x * groups.y * WORKGROUP;
            break if i >= end;
        }
    }
}
