// rows is how many rows of a result are made: all of them. See rows_counted.
const COUNTED: bool = false;

fn rows() -> u32 {
    return p.m;
}
