// rows is how many rows of a result are made: as many as a list has entries, whose number
// is its first element. See rows.
const COUNTED: bool = true;

@group(0) @binding(LIST) var<storage, read> list: array<f32>;

fn rows() -> u32 {
    return min(p.m, u32(list[p.list_at]));
}
