// The convolution of conv3x3.wgsl for software adapters: no workgroup memory and
// no barriers. A thread makes P pixels side by side × N vec4s of output channels.
//
// Bindings, libraries, prelude: those of conv3x3, with WORKGROUP in place of RUNS,
// ROWS, GROUPS and CK. CPU twin: conv3x3 in engine/cpu.

// The weights from input channels 4c … 4c + 3 (columns) to four output channels.
fn weights(tap: u32, c: u32, channel: u32) -> mat4x4<f32> {
    let at = (tap * p.cin4 + c) * 4u * p.cout4 + channel;
    return mat4x4<f32>(weight[at], weight[at + p.cout4], weight[at + 2u * p.cout4], weight[at + 3u * p.cout4]);
}

// Four input channels of the pixel in column x of a line; 0 outside the picture.
fn pixel(line: u32, x: i32, c: u32) -> vec4<f32> {
    let inside = x >= 0 && x < i32(p.width);
    let v = input[line + u32(clamp(x, 0, i32(p.width) - 1)) * p.x_stride + c];
    return keep4(v, select(0u, p.cin - 4u * c, inside));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) thread: vec3<u32>) {
    let blocks = (p.cout4 + N - 1u) / N;
    let channel = thread.x % blocks * N;
    let x = thread.x / blocks * P;
    let y = p.first + thread.y;
    if (x >= p.width) {
        return;
    }
    // Clamped, not skipped: its result is not written.
    let second = min(channel + 1u, p.cout4 - 1u);

    // a and b: the first and second vec4 of channels; 0 and 1: pixels 0 … 3 and 4 … 7.
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    for (var ky = select(0u, 1u, y == 0u); ky < min(3u, p.height + 1u - y); ky++) {
        let line = p.x_at + (y + ky - 1u) * p.width * p.x_stride;
        for (var c = 0u; c < p.cin4; c++) {
            let start = i32(x);
            let x0 = pixel(line, start - 1, c);
            let x1 = pixel(line, start, c);
            let x2 = pixel(line, start + 1, c);
            let x3 = pixel(line, start + 2, c);
            let x4 = pixel(line, start + 3, c);
            let x5 = pixel(line, start + 4, c);
            let left4 = mat4x4<f32>(x0, x1, x2, x3);
            let mid4 = mat4x4<f32>(x1, x2, x3, x4);
            let right4 = mat4x4<f32>(x2, x3, x4, x5);
            let w0 = weights(3u * ky, c, channel);
            let w1 = weights(3u * ky + 1u, c, channel);
            let w2 = weights(3u * ky + 2u, c, channel);
            a0 = mac4(mac4(mac4(a0, w0, left4), w1, mid4), w2, right4);
            let v0 = weights(3u * ky, c, second);
            let v1 = weights(3u * ky + 1u, c, second);
            let v2 = weights(3u * ky + 2u, c, second);
            if (N > 1u) {
                b0 = mac4(mac4(mac4(b0, v0, left4), v1, mid4), v2, right4);
            }
            if (P > 4u) {
                let x6 = pixel(line, start + 5, c);
                let x7 = pixel(line, start + 6, c);
                let x8 = pixel(line, start + 7, c);
                let x9 = pixel(line, start + 8, c);
                let left8 = mat4x4<f32>(x4, x5, x6, x7);
                let mid8 = mat4x4<f32>(x5, x6, x7, x8);
                let right8 = mat4x4<f32>(x6, x7, x8, x9);
                a1 = mac4(mac4(mac4(a1, w0, left8), w1, mid8), w2, right8);
                if (N > 1u) {
                    b1 = mac4(mac4(mac4(b1, v0, left8), v1, mid8), v2, right8);
                }
            }
        }
    }
    finish(a0, x, y, channel);
    if (P > 4u) {
        finish(a1, x + 4u, y, channel);
    }
    if (N > 1u) {
        finish(b0, x, y, channel + 1u);
        if (P > 4u) {
            finish(b1, x + 4u, y, channel + 1u);
        }
    }
}
