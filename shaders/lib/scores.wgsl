// Scores of four queries with four keys, and the weights that a softmax to base 2 makes of
// them: of attention_cpu and attention_block. With packed or parted.

// Where the scores of keys that do not count lie, and how low all others may be.
const HIDDEN = -3e38;
const LOWEST = -1e37;

// The scores of four queries from row on, scaled, with four keys from key on, of which each
// may see those up to its limit: keys as columns.
fn seen(s: mat4x4<f32>, head: u32, row: u32, key: u32, limit: vec4<u32>) -> mat4x4<f32> {
    let t = transpose(s);
    return mat4x4<f32>(see(t[0], head, row, key, limit), see(t[1], head, row, key + 1u, limit),
                       see(t[2], head, row, key + 2u, limit), see(t[3], head, row, key + 3u, limit));
}

fn see(s: vec4<f32>, head: u32, row: u32, key: u32, limit: vec4<u32>) -> vec4<f32> {
    let t = max(added(s, head, row, min(key, keys() - 1u)), vec4<f32>(LOWEST));
    return select(vec4<f32>(HIDDEN), t, vec4<u32>(key) <= limit);
}

// The highest score of each of four queries.
fn highest(t: mat4x4<f32>) -> vec4<f32> {
    return max(max(t[0], t[1]), max(t[2], t[3]));
}

// The weights of scores; exactly 0 where they are HIDDEN or too far below the top.
fn weigh(t: mat4x4<f32>, top: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(weight(t[0], top), weight(t[1], top), weight(t[2], top), weight(t[3], top));
}

fn weight(s: vec4<f32>, top: vec4<f32>) -> vec4<f32> {
    let none = (s < vec4<f32>(2.0 * LOWEST)) | (s - top < vec4<f32>(-120.0));
    return select(exp2(max(s - top, vec4<f32>(-120.0))), vec4<f32>(0.0), none);
}
