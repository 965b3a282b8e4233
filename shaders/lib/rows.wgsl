// rows is how many rows of a product are made: all of them. See rows_counted.
fn rows() -> u32 {
    return p.m;
}
