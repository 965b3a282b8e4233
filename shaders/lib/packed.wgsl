// What attention reads and writes where q, k, v and out lie side by side in one tensor,
// y [rows, ≥ 4·heads·size], and every head has keys of its own. See parted.

struct Params {
    rows: u32,
    y_at: u32, // these count vec4s
    y_stride: u32,
    part: u32, // the width of each of q, k, v and out
    size: u32, // of a head
    causal: u32,
    scale: f32, // times log2(e): the softmax is taken to base 2
    first: u32, // tile of queries
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

fn keys() -> u32 {
    return p.rows;
}

// Where a head's row of q, k, v or out (part 0, 1, 2, 3) begins.
fn start(part: u32, row: u32, head: u32) -> u32 {
    return p.y_at + row * p.y_stride + part * p.part + head * p.size;
}

// What lies there, or further on.
fn fetch(part: u32, at: u32) -> vec4<f32> {
    return y[at];
}

fn element(part: u32, row: u32, head: u32, c: u32) -> vec4<f32> {
    return fetch(part, start(part, row, head) + c);
}

fn write_out(row: u32, head: u32, c: u32, v: vec4<f32>) {
    y[start(3u, row, head) + c] = v;
}

// What is added to the logits of four queries with one key: nothing.
fn added(s: vec4<f32>, head: u32, row: u32, key: u32) -> vec4<f32> {
    return s;
}
