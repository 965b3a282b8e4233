// store4 writes the first n of v's four elements to out[i] and keeps the others:
// the last columns of a view may share a vec4 with somebody else's. The kernel
// declares out, an array of vec4<f32> that it may read and write. No two threads
// may store to one i.
fn store4(i: u32, v: vec4<f32>, n: u32) {
    if (n >= 4u) {
        out[i] = v;
    } else {
        out[i] = select(out[i], v, vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(n));
    }
}
