// out = softmax(q·kᵀ·scale)·v for every head, without ever forming the matrix of
// all scores: keys come in tiles of 32, and the running maximum, sum and result of
// each query are rescaled as larger scores appear (FlashAttention, arXiv 2205.14135).
//
//   y [rows, ≥ 4·heads·size]: columns q | k | v | out
//   one workgroup per tile of 4·TY queries of one head: 8 × TY threads, thread
//   (tx, ty) holding the scores of queries 4ty … 4ty + 3 with keys 4tx … 4tx + 3
//   as a matrix whose columns are queries, and of the result four queries' columns
//   tx of each chunk. A head is walked in CHUNKS chunks of CHUNK ≤ 8 vec4s.
//
// 14 KiB of workgroup memory. Libraries: mac, f32, packed (bindings).
// Prelude: TY, CHUNK, CHUNKS.
// CPU twin: attention in engine/cpu. Without workgroup memory: attention_cpu.

const KEYS = 32u; // in a tile
const PITCH = 9u; // vec4s from one row of a tile to the next: odd, against bank conflicts
const MASKED = -1e30;
// Vectors of workgroup memory, by name. Quirk: array-length.
const QUERIES = 4u * TY * CHUNK;
const TILE = KEYS * PITCH;
const WEIGHTS = 4u * TY * PITCH;
const THREADS = 8u * TY;

var<workgroup> queries: array<vec4<f32>, QUERIES>; // [query][column]
var<workgroup> tile: array<vec4<f32>, TILE>;       // keys: [number in the chunk][4 keys]; values: [key][column]
var<workgroup> weights: array<vec4<f32>, WEIGHTS>; // [query][4 keys]
var<workgroup> partial: array<vec4<f32>, THREADS>; // [ty][tx]: of 4 queries

// A chunk's column of a row of q, k or v (part 0, 1, 2); 0 behind the head's end.
fn load(part: u32, row: u32, head: u32, column: u32) -> vec4<f32> {
    let v = element(part, min(row, p.rows - 1u), head, min(column, p.size - 1u));
    return select(vec4<f32>(0.0), v, column < p.size);
}

// Adds the products of one chunk of queries and keys to the scores s.
fn score(s: mat4x4<f32>, chunk: u32, head: u32, first_query: u32, first_key: u32, lane: u32) -> mat4x4<f32> {
    workgroupBarrier();
    for (var i = lane; i < QUERIES; i += THREADS) {
        queries[i] = p.scale * load(0u, first_query + i / CHUNK, head, chunk * CHUNK + i % CHUNK);
    }
    for (var i = lane; i < KEYS / 4u * CHUNK; i += THREADS) {
        let row = first_key + i / CHUNK * 4u;
        let column = chunk * CHUNK + i % CHUNK;
        let k = transpose(mat4x4<f32>(load(1u, row, head, column), load(1u, row + 1u, head, column),
                                      load(1u, row + 2u, head, column), load(1u, row + 3u, head, column)));
        let at = i % CHUNK * 4u * PITCH + i / CHUNK;
        tile[at] = k[0];
        tile[at + PITCH] = k[1];
        tile[at + 2u * PITCH] = k[2];
        tile[at + 3u * PITCH] = k[3];
    }
    workgroupBarrier();
    var sum = s;
    var k = lane % 8u;
    var q = lane / 8u * 4u * CHUNK;
    for (var c = 0u; c < CHUNK; c++) {
        sum = mac4(sum, mat4x4<f32>(tile[k], tile[k + PITCH], tile[k + 2u * PITCH], tile[k + 3u * PITCH]),
                   mat4x4<f32>(queries[q], queries[q + CHUNK], queries[q + 2u * CHUNK], queries[q + 3u * CHUNK]));
        k += 4u * PITCH;
        q += 1u;
    }
    return sum;
}

// Rescales a chunk of the result and adds the weighted values of this tile.
fn weigh(o: mat4x4<f32>, shrink: vec4<f32>, chunk: u32, head: u32, first_key: u32, lane: u32) -> mat4x4<f32> {
    workgroupBarrier();
    for (var i = lane; i < KEYS * CHUNK; i += THREADS) {
        tile[i / CHUNK * PITCH + i % CHUNK] = load(2u, first_key + i / CHUNK, head, chunk * CHUNK + i % CHUNK);
    }
    workgroupBarrier();
    var sum = mat4x4<f32>(o[0] * shrink.x, o[1] * shrink.y, o[2] * shrink.z, o[3] * shrink.w);
    var v = lane % 8u;
    var w = lane / 8u * 4u * PITCH;
    for (var k = 0u; k < KEYS / 4u; k++) {
        sum = mac4(sum, mat4x4<f32>(tile[v], tile[v + PITCH], tile[v + 2u * PITCH], tile[v + 3u * PITCH]),
                   mat4x4<f32>(weights[w], weights[w + PITCH], weights[w + 2u * PITCH], weights[w + 3u * PITCH]));
        v += 4u * PITCH;
        w += 1u;
    }
    return sum;
}

// The exponentials of one query's scores; exactly 0 where masked.
fn weight(s: vec4<f32>, top: f32) -> vec4<f32> {
    return select(exp2(max(s - top, vec4<f32>(-120.0))), vec4<f32>(0.0), s < vec4<f32>(0.1 * MASKED));
}

fn store1(o: vec4<f32>, row: u32, at: u32) {
    if (row < p.rows) {
        y[at + row * p.y_stride] = o;
    }
}

fn store(o: mat4x4<f32>, total: vec4<f32>, chunk: u32, head: u32, first_query: u32, lane: u32) {
    let column = chunk * CHUNK + lane % 8u;
    if (lane % 8u >= CHUNK || column >= p.size) {
        return;
    }
    let row = first_query + lane / 8u * 4u;
    let at = p.y_at + 3u * p.part + head * p.size + column;
    store1(o[0] / total.x, row, at);
    store1(o[1] / total.y, row + 1u, at);
    store1(o[2] / total.z, row + 2u, at);
    store1(o[3] / total.w, row + 3u, at);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first_query = (p.first + group.x) * 4u * TY;
    let head = group.y;
    let row = lane / 8u * 8u; // of partial
    // The last key that each of this thread's queries may see.
    var limit = vec4<u32>(p.rows - 1u);
    var end = p.rows;
    if (p.causal != 0u) {
        limit = min(limit, first_query + lane / 8u * 4u + vec4<u32>(0u, 1u, 2u, 3u));
        end = min(end, first_query + 4u * TY);
    }
    var top = vec4<f32>(MASKED); // the largest score so far, of each query
    var sum = vec4<f32>(0.0);    // of this thread's weights
    var o0 = mat4x4<f32>();
    var o1 = mat4x4<f32>();
    var o2 = mat4x4<f32>();
    var o3 = mat4x4<f32>();
    for (var first_key = 0u; first_key < end; first_key += KEYS) {
        var s = mat4x4<f32>();
        for (var chunk = 0u; chunk < CHUNKS; chunk++) {
            s = score(s, chunk, head, first_query, first_key, lane);
        }
        let key = first_key + lane % 8u * 4u + vec4<u32>(0u, 1u, 2u, 3u);
        let mask = vec4<f32>(MASKED);
        s = mat4x4<f32>(select(mask, s[0], key <= vec4<u32>(limit.x)), select(mask, s[1], key <= vec4<u32>(limit.y)),
                        select(mask, s[2], key <= vec4<u32>(limit.z)), select(mask, s[3], key <= vec4<u32>(limit.w)));
        let t = transpose(s);
        partial[lane] = max(max(t[0], t[1]), max(t[2], t[3]));
        workgroupBarrier();
        let last = top;
        for (var i = 0u; i < 8u; i++) {
            top = max(top, partial[row + i]);
        }
        let shrink = exp2(max(last - top, vec4<f32>(-120.0)));
        let w = mat4x4<f32>(weight(s[0], top.x), weight(s[1], top.y), weight(s[2], top.z), weight(s[3], top.w));
        let at = lane / 8u * 4u * PITCH + lane % 8u;
        weights[at] = w[0];
        weights[at + PITCH] = w[1];
        weights[at + 2u * PITCH] = w[2];
        weights[at + 3u * PITCH] = w[3];
        sum = fma(sum, shrink, vec4<f32>(1.0) * w);
        o0 = weigh(o0, shrink, 0u, head, first_key, lane);
        if (CHUNKS > 1u) {
            o1 = weigh(o1, shrink, 1u, head, first_key, lane);
        }
        if (CHUNKS > 2u) {
            o2 = weigh(o2, shrink, 2u, head, first_key, lane);
        }
        if (CHUNKS > 3u) {
            o3 = weigh(o3, shrink, 3u, head, first_key, lane);
        }
    }
    partial[lane] = sum;
    workgroupBarrier();
    var total = vec4<f32>(0.0);
    for (var i = 0u; i < 8u; i++) {
        total += partial[row + i];
    }
    store(o0, total, 0u, head, first_query, lane);
    if (CHUNKS > 1u) {
        store(o1, total, 1u, head, first_query, lane);
    }
    if (CHUNKS > 2u) {
        store(o2, total, 2u, head, first_query, lane);
    }
    if (CHUNKS > 3u) {
        store(o3, total, 3u, head, first_query, lane);
    }
}
