// Attention as in attention.wgsl, with more scores for each thread: two products of
// matrices like those of matmul_tile.wgsl, and the softmax between them.
//
//   A workgroup takes QUERIES = ROWS·TY queries of one head and walks the keys by
//   KEYS = COLS·TX. A thread makes ROWS × COLS scores (8 × 4: 3 loads of workgroup memory
//   for 32 multiply-adds, 8 × 8: 4 for 64), and of the result ROWS rows × PARTS vec4s.
//   Keys come by DEPTH vec4s of a head at a time, values by SLICE keys. Queries stay
//   in workgroup memory where there is room (RESIDENT); else they come with the keys.
//   Barriers for each KEYS: 2·DEPTHS + 1 + 2·KEYS/SLICE, which is 9 to 17 for a head of 64.
//
// Tiles are kept with the summed index first, in quads of queries or keys, like those of
// matmul_tile.wgsl, and against bank conflicts like those. Libraries: packed or parted
// (bindings), scores, outer, f32. Prelude: ROWS (4, 8), COLS (4, 8), TX, TY, SIZE (of a head, in
// vec4s), PARTS ≤ 4, DEPTH, DEPTHS, SLICE, RESIDENT, Q_TILE, TILE, WEIGHTS, PARTIAL (vec4s
// of workgroup memory), HALF and alias kept (what lies there: vec4<f32>, or
// vec4<f16> where the device has it; sums are f32). CPU twin: attention in engine/cpu.

const THREADS = TX * TY;
const Q4 = ROWS / 4u * TY; // quads of queries
const K4 = COLS / 4u * TX; // quads of keys
const SPAN = 4u * K4;
const S4 = SLICE / 4u;

var<workgroup> queries: array<kept, Q_TILE>;  // [column][4 queries]
var<workgroup> tile: array<kept, TILE>;       // keys: [column][4 keys]; values: [key][4 columns]
var<workgroup> weights: array<kept, WEIGHTS>; // [key][4 queries]
var<workgroup> partial: array<vec4<f32>, PARTIAL>; // [4 queries][tx]

fn keep(v: vec4<f32>) -> kept {
    if (HALF) {
        return kept(clamp(v, vec4<f32>(-65504.0), vec4<f32>(65504.0)));
    }
    return kept(v);
}

fn bank(i: u32, quads: u32) -> u32 {
    return i & min(7u, quads - 1u);
}

// Four rows of a head from row on, as columns; rows behind the last are as it is, and
// columns behind the head's end 0.
fn quad(part: u32, row: u32, rows: u32, head: u32, c: u32) -> mat4x4<f32> {
    if (c >= SIZE) {
        return mat4x4<f32>();
    }
    let r = min(row + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(rows - 1u));
    return transpose(mat4x4<f32>(element(part, r.x, head, c), element(part, r.y, head, c),
                                 element(part, r.z, head, c), element(part, r.w, head, c)));
}

// Puts count columns of the queries, from column on, into workgroup memory.
fn fill_queries(column: u32, count: u32, head: u32, first_query: u32, lane: u32) {
    for (var i = lane; i < Q4 * count; i += THREADS) {
        let c = i % count;
        let v = p.scale * quad(0u, first_query + i / count * 4u, p.rows, head, column + c);
        let at = 4u * c * Q4 + ((i / count) ^ bank(c % DEPTH, Q4));
        queries[at] = keep(v[0]);
        queries[at + Q4] = keep(v[1]);
        queries[at + 2u * Q4] = keep(v[2]);
        queries[at + 3u * Q4] = keep(v[3]);
    }
}

fn fill_keys(column: u32, head: u32, first_key: u32, lane: u32) {
    for (var i = lane; i < K4 * DEPTH; i += THREADS) {
        let c = i % DEPTH;
        let v = quad(1u, first_key + i / DEPTH * 4u, keys(), head, column + c);
        let at = 4u * c * K4 + ((i / DEPTH) ^ bank(c, K4));
        tile[at] = keep(v[0]);
        tile[at + K4] = keep(v[1]);
        tile[at + 2u * K4] = keep(v[2]);
        tile[at + 3u * K4] = keep(v[3]);
    }
}

// What a thread makes: four rows, and the four that lie TY quads further where ROWS is 8.
struct Rows {
    a: mat4x4<f32>,
    b: mat4x4<f32>,
}

fn multiply(c: ptr<function, Rows>, u: vec4<f32>, u2: vec4<f32>, w: vec4<f32>) {
    (*c).a = outer((*c).a, u, w);
    if (ROWS == 8u) {
        (*c).b = outer((*c).b, u2, w);
    }
}

// Adds to the scores what one column of queries and keys contributes.
fn score(s: ptr<function, Rows>, s2: ptr<function, Rows>, q: u32, k: u32, y: vec2<u32>, x: vec2<u32>) {
    let u = vec4<f32>(queries[q + y.x]);
    let u2 = vec4<f32>(queries[q + y.y]);
    multiply(s, u, u2, vec4<f32>(tile[k + x.x]));
    if (COLS == 8u) {
        multiply(s2, u, u2, vec4<f32>(tile[k + x.y]));
    }
}

// The last key that each of four queries from row on may see.
fn limits(row: u32) -> vec4<u32> {
    let last = vec4<u32>(keys() - 1u);
    return select(last, min(last, row + vec4<u32>(0u, 1u, 2u, 3u)), p.causal != 0u);
}

// Puts the weights of one quad of keys and one of queries into the slice that holds them.
fn put(slice: u32, keys4: u32, y: u32, w: mat4x4<f32>) {
    if (keys4 / S4 == slice) {
        let at = keys4 % S4 * 4u * Q4 + (y ^ bank(keys4, Q4));
        weights[at] = keep(w[0]);
        weights[at + Q4] = keep(w[1]);
        weights[at + 2u * Q4] = keep(w[2]);
        weights[at + 3u * Q4] = keep(w[3]);
    }
}

fn shrunk(o: Rows, by: vec4<f32>, by2: vec4<f32>) -> Rows {
    return Rows(mat4x4<f32>(o.a[0] * by.x, o.a[1] * by.y, o.a[2] * by.z, o.a[3] * by.w),
                mat4x4<f32>(o.b[0] * by2.x, o.b[1] * by2.y, o.b[2] * by2.z, o.b[3] * by2.w));
}

fn store1(v: vec4<f32>, row: u32, head: u32, c: u32) {
    if (row < p.rows && c < SIZE) {
        write_out(row, head, c, v);
    }
}

fn store(o: Rows, total: vec4<f32>, total2: vec4<f32>, row: u32, head: u32, c: u32) {
    let r = shrunk(o, 1.0 / total, 1.0 / total2);
    store1(r.a[0], row, head, c);
    store1(r.a[1], row + 1u, head, c);
    store1(r.a[2], row + 2u, head, c);
    store1(r.a[3], row + 3u, head, c);
    if (ROWS == 8u) {
        let next = row + 4u * TY;
        store1(r.b[0], next, head, c);
        store1(r.b[1], next + 1u, head, c);
        store1(r.b[2], next + 2u, head, c);
        store1(r.b[3], next + 3u, head, c);
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first_query = (p.first + group.x) * ROWS * TY;
    let head = group.y;
    let x = lane % TX;
    let y = lane / TX;
    let row = first_query + 4u * y; // of this thread's first quad
    let row2 = row + 4u * TY;
    var end = keys();
    if (p.causal != 0u) {
        end = min(end, first_query + ROWS * TY);
    }
    if (RESIDENT) {
        fill_queries(0u, DEPTH * DEPTHS, head, first_query, lane);
    }
    var top = vec4<f32>(HIDDEN); // the largest score so far, of each query
    var top2 = top;
    var sum = vec4<f32>(0.0);    // of this thread's weights
    var sum2 = sum;
    var o0 = Rows();
    var o1 = Rows();
    var o2 = Rows();
    var o3 = Rows();
    for (var first_key = 0u; first_key < end; first_key += SPAN) {
        var s = Rows(); // of the first quad of keys, and of that TX quads further
        var s2 = Rows();
        for (var d = 0u; d < DEPTHS; d++) {
            workgroupBarrier();
            if (!RESIDENT) {
                fill_queries(d * DEPTH, DEPTH, head, first_query, lane);
            }
            fill_keys(d * DEPTH, head, first_key, lane);
            workgroupBarrier();
            var q = select(0u, d * DEPTH * 4u * Q4, RESIDENT);
            var k = 0u;
            for (var c = 0u; c < DEPTH; c++) {
                let ys = vec2<u32>(y, y + TY) ^ vec2<u32>(bank(c, Q4));
                let xs = vec2<u32>(x, x + TX) ^ vec2<u32>(bank(c, K4));
                score(&s, &s2, q, k, ys, xs);
                score(&s, &s2, q + Q4, k + K4, ys, xs);
                score(&s, &s2, q + 2u * Q4, k + 2u * K4, ys, xs);
                score(&s, &s2, q + 3u * Q4, k + 3u * K4, ys, xs);
                q += 4u * Q4;
                k += 4u * K4;
            }
        }

        // From here on keys are columns.
        let key = first_key + 4u * x;
        var t0 = seen(s.a, head, row, key, limits(row));
        var most = highest(t0);
        var t1 = mat4x4<f32>(); // of the other quad of queries
        var t2 = mat4x4<f32>(); // of the other quad of keys
        var t3 = mat4x4<f32>(); // of both others
        var most2 = most;
        if (ROWS == 8u) {
            t1 = seen(s.b, head, row2, key, limits(row2));
            most2 = highest(t1);
        }
        if (COLS == 8u) {
            t2 = seen(s2.a, head, row, key + 4u * TX, limits(row));
            most = max(most, highest(t2));
            if (ROWS == 8u) {
                t3 = seen(s2.b, head, row2, key + 4u * TX, limits(row2));
                most2 = max(most2, highest(t3));
            }
        }
        partial[y * TX + x] = most;
        if (ROWS == 8u) {
            partial[(y + TY) * TX + x] = most2;
        }
        workgroupBarrier();
        let last = top;
        let last2 = top2;
        for (var i = 0u; i < TX; i++) {
            top = max(top, partial[y * TX + i]);
            if (ROWS == 8u) {
                top2 = max(top2, partial[(y + TY) * TX + i]);
            }
        }
        let shrink = exp2(max(last - top, vec4<f32>(-120.0)));
        let shrink2 = exp2(max(last2 - top2, vec4<f32>(-120.0)));
        let one = vec4<f32>(1.0);
        t0 = weigh(t0, top);
        sum = fma(sum, shrink, t0 * one);
        if (ROWS == 8u) {
            t1 = weigh(t1, top2);
            sum2 = fma(sum2, shrink2, t1 * one);
        }
        if (COLS == 8u) {
            t2 = weigh(t2, top);
            sum += t2 * one;
            if (ROWS == 8u) {
                t3 = weigh(t3, top2);
                sum2 += t3 * one;
            }
        }

        o0 = shrunk(o0, shrink, shrink2);
        if (PARTS > 1u) {
            o1 = shrunk(o1, shrink, shrink2);
        }
        if (PARTS > 2u) {
            o2 = shrunk(o2, shrink, shrink2);
        }
        if (PARTS > 3u) {
            o3 = shrunk(o3, shrink, shrink2);
        }
        for (var slice = 0u; slice < SPAN / SLICE; slice++) {
            workgroupBarrier();
            for (var i = lane; i < SLICE * SIZE; i += THREADS) {
                tile[i] = keep(element(2u, min(first_key + slice * SLICE + i / SIZE, keys() - 1u), head, i % SIZE));
            }
            put(slice, x, y, t0);
            if (ROWS == 8u) {
                put(slice, x, y + TY, t1);
            }
            if (COLS == 8u) {
                put(slice, x + TX, y, t2);
                if (ROWS == 8u) {
                    put(slice, x + TX, y + TY, t3);
                }
            }
            workgroupBarrier();
            for (var i = 0u; i < SLICE; i++) {
                let w = i * Q4;
                let b = bank(slice * S4 + i / 4u, Q4);
                let v = i * SIZE;
                let u = vec4<f32>(weights[w + (y ^ b)]);
                let u2 = vec4<f32>(weights[w + ((y + TY) ^ b)]);
                multiply(&o0, u, u2, vec4<f32>(tile[v + min(x, SIZE - 1u)]));
                if (PARTS > 1u) {
                    multiply(&o1, u, u2, vec4<f32>(tile[v + min(x + TX, SIZE - 1u)]));
                }
                if (PARTS > 2u) {
                    multiply(&o2, u, u2, vec4<f32>(tile[v + min(x + 2u * TX, SIZE - 1u)]));
                }
                if (PARTS > 3u) {
                    multiply(&o3, u, u2, vec4<f32>(tile[v + min(x + 3u * TX, SIZE - 1u)]));
                }
            }
        }
    }
    workgroupBarrier(); // partial may still be being read
    partial[y * TX + x] = sum;
    if (ROWS == 8u) {
        partial[(y + TY) * TX + x] = sum2;
    }
    workgroupBarrier();
    var total = vec4<f32>(0.0);
    var total2 = vec4<f32>(0.0);
    for (var i = 0u; i < TX; i++) {
        total += partial[y * TX + i];
        if (ROWS == 8u) {
            total2 += partial[(y + TY) * TX + i];
        }
    }
    store(o0, total, total2, row, head, x);
    if (PARTS > 1u) {
        store(o1, total, total2, row, head, x + TX);
    }
    if (PARTS > 2u) {
        store(o2, total, total2, row, head, x + 2u * TX);
    }
    if (PARTS > 3u) {
        store(o3, total, total2, row, head, x + 3u * TX);
    }
}
