// What attention reads and writes where q, k, v and out are separate views, heads may
// share keys and values, and there may be a bias and a mask. See packed.
//
//   q, out [rows, heads·size] · k, v [keys, kv heads·size] · bias [rows or heads·rows, keys] · mask [1, keys]
//
// Bindings: 1 out, 2 q, 3 k, 4 v, 5 bias, 6 mask (q where they are absent).
// Prelude: BIAS, MASK.

struct Params {
    rows: u32,
    keys: u32,
    size: u32, // of a head; these count vec4s
    out_at: u32,
    out_stride: u32,
    q_at: u32,
    q_stride: u32,
    k_at: u32,
    k_stride: u32,
    v_at: u32,
    v_stride: u32,
    group: u32, // heads that share one head of keys and values
    causal: u32,
    scale: f32, // times log2(e): the softmax is taken to base 2
    bias_at: u32, // these count elements
    bias_stride: u32,
    bias_rows: u32, // from one head's bias to the next, 0 where all heads share it
    mask_at: u32,
    first: u32, // query, or tile of queries
}

const LOG2E = 1.4426950408889634;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read> mask: array<f32>;

fn keys() -> u32 {
    return p.keys;
}

// Where a head's row of q, k, v or out (part 0, 1, 2, 3) begins.
fn start(part: u32, row: u32, head: u32) -> u32 {
    if (part == 0u) {
        return p.q_at + row * p.q_stride + head * p.size;
    }
    if (part == 1u) {
        return p.k_at + row * p.k_stride + head / p.group * p.size;
    }
    if (part == 2u) {
        return p.v_at + row * p.v_stride + head / p.group * p.size;
    }
    return p.out_at + row * p.out_stride + head * p.size;
}

// What lies there, or further on.
fn fetch(part: u32, at: u32) -> vec4<f32> {
    if (part == 0u) {
        return q[at];
    }
    if (part == 1u) {
        return k[at];
    }
    return v[at];
}

fn element(part: u32, row: u32, head: u32, c: u32) -> vec4<f32> {
    return fetch(part, start(part, row, head) + c);
}

fn write_out(row: u32, head: u32, c: u32, value: vec4<f32>) {
    out[start(3u, row, head) + c] = value;
}

fn bias_of(head: u32, row: u32, key: u32) -> f32 {
    return bias[p.bias_at + (head * p.bias_rows + min(row, p.rows - 1u)) * p.bias_stride + key];
}

fn added(s: vec4<f32>, head: u32, row: u32, key: u32) -> vec4<f32> {
    var t = s;
    if (BIAS) {
        t += LOG2E * vec4<f32>(bias_of(head, row, key), bias_of(head, row + 1u, key), bias_of(head, row + 2u, key), bias_of(head, row + 3u, key));
    }
    if (MASK) {
        t += LOG2E * mask[p.mask_at + key];
    }
    return t;
}
