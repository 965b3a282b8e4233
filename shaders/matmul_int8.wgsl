// MatMul of 8-bit weights with activations rounded to 8 bits: see lib/matmul.wgsl for
// formula, shapes and bindings. CPU twin: matMul in engine/cpu.
//
// A workgroup makes TILE_M × TILE_N outputs, 32 of k at a time, which is a block of
// weights with one scale; each row of a gets a scale of its own for them, its largest
// element over 127. Products of four k are summed as integers (dot4I8Packed), those of a
// block scaled and added in f32. A thread makes ROWS × 4 outputs: 3 loads of workgroup
// memory for 32 dot products of 4 where ROWS is 8.
//
// A workgroup has 8 threads or more for each four rows (TILE_N ≥ 4·ROWS).
// Libraries: weight_q8 or weight_q4 with GROUP4 = 8 and without minima. Prelude: TILE_M,
// TILE_N, ROWS (4 or 8). Needs the language feature packed_4x8_integer_dot_product.

const M4: u32 = TILE_M / 4u;
const N4: u32 = TILE_N / 4u;
const THREADS: u32 = N4 * (TILE_M / ROWS);
const A_WORDS: u32 = 8u * M4;
const W_WORDS: u32 = 8u * N4;

var<workgroup> tile_a: array<vec4<u32>, A_WORDS>; // [k4][4 rows]: four k in each word
var<workgroup> tile_w: array<vec4<u32>, W_WORDS>; // [k4][4 columns]
var<workgroup> scale_a: array<vec4<f32>, M4>;
var<workgroup> scale_w: array<vec4<f32>, N4>;

var<workgroup> largest: array<vec4<f32>, A_WORDS>; // [k4][4 rows]: of four k

// Four elements in a word.
fn packed(v: vec4<f32>, by: f32) -> u32 {
    return pack4xI8(vec4<i32>(round(v * by)));
}

fn most(v: vec4<f32>) -> f32 {
    let a = max(abs(v.xy), abs(v.zw));
    return max(a.x, a.y);
}

// Four words of four bytes, turned: byte i of word j becomes byte j of word i.
fn turned(v: vec4<u32>) -> vec4<u32> {
    let low = v & vec4<u32>(0x00ff00ffu);
    let high = (v >> vec4<u32>(8u)) & vec4<u32>(0x00ff00ffu);
    let a = low.xz | (low.yw << vec2<u32>(8u));
    let b = high.xz | (high.yw << vec2<u32>(8u));
    return vec4<u32>((a.x & 0xffffu) | (a.y << 16u), (b.x & 0xffffu) | (b.y << 16u),
                     (a.x >> 16u) | (a.y & 0xffff0000u), (b.x >> 16u) | (b.y & 0xffff0000u));
}

fn dots(x: u32, w: vec4<u32>) -> vec4<i32> {
    return vec4<i32>(dot4I8Packed(x, w.x), dot4I8Packed(x, w.y), dot4I8Packed(x, w.z), dot4I8Packed(x, w.w));
}

// Four rows by four columns.
struct Sums {
    x: vec4<i32>,
    y: vec4<i32>,
    z: vec4<i32>,
    w: vec4<i32>,
}

fn add(s: ptr<function, Sums>, a: vec4<u32>, w: vec4<u32>) {
    (*s).x += dots(a.x, w);
    (*s).y += dots(a.y, w);
    (*s).z += dots(a.z, w);
    (*s).w += dots(a.w, w);
}

fn scaled(c: mat4x4<f32>, s: Sums, a: vec4<f32>, w: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(fma(a.x * w, vec4<f32>(s.x), c[0]), fma(a.y * w, vec4<f32>(s.y), c[1]),
                       fma(a.z * w, vec4<f32>(s.z), c[2]), fma(a.w * w, vec4<f32>(s.w), c[3]));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) id: u32) {
    let row = (p.first + group.x) * TILE_M;
    let n4 = group.y * N4;
    if (row >= rows()) { // of a list, which is shorter than it could be
        return;
    }
    let x = id % N4;
    let y = id / N4; // with 8 rows the second quad lies half a tile further
    let y2 = y + M4 / 2u;
    let k = id % 8u; // of what this thread rounds
    let quad = id / 8u;
    var c = mat4x4<f32>();
    var c2 = mat4x4<f32>();
    for (var k4 = 0u; k4 < p.k4; k4 += 8u) {
        workgroupBarrier();
        // Each thread has four k of four rows, or nothing, until the block's scale is known.
        var v: mat4x4<f32>;
        if (id < A_WORDS) {
            let r = row + 4u * quad;
            v = mat4x4<f32>(load_a(r, k4 + k), load_a(r + 1u, k4 + k), load_a(r + 2u, k4 + k), load_a(r + 3u, k4 + k));
            largest[k * M4 + quad] = vec4<f32>(most(v[0]), most(v[1]), most(v[2]), most(v[3]));
        }
        for (var i = id; i < W_WORDS; i += THREADS) {
            let n = min(p.weight_row + n4 + i / 8u, p.weight_last);
            tile_w[i % 8u * N4 + i / 8u] = turned(weight_words(n, k4 + i % 8u));
            if (i % 8u == 0u) {
                scale_w[i / 8u] = weight_scales(n, k4);
            }
        }
        workgroupBarrier();
        if (id < A_WORDS) {
            var top = largest[quad];
            for (var j = 1u; j < 8u; j++) {
                top = max(top, largest[j * M4 + quad]);
            }
            let by = select(127.0 / top, vec4<f32>(0.0), top < vec4<f32>(1e-30));
            tile_a[k * M4 + quad] = vec4<u32>(packed(v[0], by.x), packed(v[1], by.y), packed(v[2], by.z), packed(v[3], by.w));
            if (k == 0u) {
                scale_a[quad] = top / 127.0;
            }
        }
        workgroupBarrier();
        var s = Sums();
        var s2 = Sums();
        for (var j = 0u; j < 8u; j++) {
            let w = tile_w[j * N4 + x];
            add(&s, tile_a[j * M4 + y], w);
            if (ROWS == 8u) {
                add(&s2, tile_a[j * M4 + y2], w);
            }
        }
        c = scaled(c, s, scale_a[y], scale_w[x]);
        if (ROWS == 8u) {
            c2 = scaled(c2, s2, scale_a[y2], scale_w[x]);
        }
    }
    finish4(row + 4u * y, n4 + x, c);
    if (ROWS == 8u) {
        finish4(row + 4u * y2, n4 + x, c2);
    }
}
