// How the kernels of lib/matmul.wgsl read w.
//
// Weights are stored in patches of 4 output columns × 4 k: patch (n4, k4) holds
// w[4·n4 + lane, 4·k4 + j], and weight_patch(n4, k4) (lib/weight_*.wgsl) returns
// it dequantized with j as the column of the matrix and lane as the row, so that
// patch · a[k4] is the contribution of four k to four outputs.
//
// Wants from the prelude: SHIFT, the position of w's first row in its patch
// (0 unless w is a slice of a weight's rows that starts off a multiple of 4).

// Patch (n4, k4) of w; some other, finite, patch beyond n or k.
fn load_w(n4: u32, k4: u32) -> mat4x4<f32> {
    let row = p.weight_row + n4;
    let j = min(k4, p.k4 - 1u);
    let w = weight_patch(min(row, p.weight_last), j);
    if (SHIFT == 0u) {
        return w;
    }
    // Four columns out of two neighbouring patches.
    let v = weight_patch(min(row + 1u, p.weight_last), j);
    return mat4x4<f32>(straddle(w[0], v[0]), straddle(w[1], v[1]), straddle(w[2], v[2]), straddle(w[3], v[3]));
}

fn straddle(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
    if (SHIFT == 1u) {
        return vec4<f32>(x.yzw, y.x);
    }
    if (SHIFT == 2u) {
        return vec4<f32>(x.zw, y.xy);
    }
    return vec4<f32>(x.w, y.xyz);
}
