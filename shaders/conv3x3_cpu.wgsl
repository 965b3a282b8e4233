// The convolution of conv3x3.wgsl for software adapters: no workgroup memory and
// no barriers. A thread makes P pixels side by side × N vec4s of output channels, the
// same channels as the other threads of its workgroup, which hand one another the weights
// where they can (lib/conv3x3_weights_lanes.wgsl). Sums of products are faster here than
// fused multiply-adds.
//
// Bindings, libraries, prelude: those of conv3x3, with WORKGROUP (threads), RAGGED, whether
// channels are no multiple of 4, and EXACT, whether lines are one of P, in place of RUNS,
// ROWS, GROUPS and CK. CPU twin: conv3x3 in engine/cpu.

// Four input channels of a pixel; 0 outside the picture.
fn pixel(i: u32, c: u32, inside: bool) -> vec4<f32> {
    if (RAGGED) {
        return keep4(input[i + c], select(0u, p.cin - 4u * c, inside));
    }
    return select(vec4<f32>(0.0), input[i + c], inside);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let blocks = (p.cout4 + N - 1u) / N;
    let channel = group.x % blocks * N;
    let x = (group.x / blocks * WORKGROUP + thread) * P;
    let y = p.first + group.y;
    // Clamped, not skipped: its result is not written.
    let second = min(channel + 1u, p.cout4 - 1u);
    let own = lane();

    // Where in a line the pixels from x - 1 on lie, the last one's beyond its end.
    let end = p.width - 1u;
    let i0 = (min(max(x, 1u) - 1u, end) >> HALVED) * p.x_stride;
    let i1 = (min(x, end) >> HALVED) * p.x_stride;
    let i2 = (min(x + 1u, end) >> HALVED) * p.x_stride;
    let i3 = (min(x + 2u, end) >> HALVED) * p.x_stride;
    let i4 = (min(x + 3u, end) >> HALVED) * p.x_stride;
    let i5 = (min(x + 4u, end) >> HALVED) * p.x_stride;
    let i6 = (min(x + 5u, end) >> HALVED) * p.x_stride;
    let i7 = (min(x + 6u, end) >> HALVED) * p.x_stride;
    let i8 = (min(x + 7u, end) >> HALVED) * p.x_stride;
    let i9 = (min(x + 8u, end) >> HALVED) * p.x_stride;

    // a and b: the first and second vec4 of channels; 0 and 1: pixels 0 … 3 and 4 … 7.
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    for (var ky = select(0u, 1u, y == 0u); ky < min(3u, p.height + 1u - y); ky++) {
        let line = p.x_at + ((y + ky - 1u + SKIP) >> HALVED) * (p.width >> HALVED) * p.x_stride;
        for (var c = 0u; c < p.cin4; c++) {
            let x0 = pixel(line + i0, c, x > 0u);
            let x1 = pixel(line + i1, c, EXACT || x <= end);
            let x2 = pixel(line + i2, c, EXACT || x + 1u <= end);
            let x3 = pixel(line + i3, c, EXACT || x + 2u <= end);
            let x4 = pixel(line + i4, c, EXACT || x + 3u <= end);
            let x5 = pixel(line + i5, c, (EXACT && P > 4u) || x + 4u <= end);
            let left4 = mat4x4<f32>(x0, x1, x2, x3);
            let mid4 = mat4x4<f32>(x1, x2, x3, x4);
            let right4 = mat4x4<f32>(x2, x3, x4, x5);
            let w0 = weights(3u * ky, c, channel, own);
            let w1 = weights(3u * ky + 1u, c, channel, own);
            let w2 = weights(3u * ky + 2u, c, channel, own);
            a0 += w0 * left4 + w1 * mid4 + w2 * right4;
            let v0 = weights(3u * ky, c, second, own);
            let v1 = weights(3u * ky + 1u, c, second, own);
            let v2 = weights(3u * ky + 2u, c, second, own);
            if (N > 1u) {
                b0 += v0 * left4 + v1 * mid4 + v2 * right4;
            }
            if (P > 4u) {
                let x6 = pixel(line + i6, c, EXACT || x + 5u <= end);
                let x7 = pixel(line + i7, c, EXACT || x + 6u <= end);
                let x8 = pixel(line + i8, c, EXACT || x + 7u <= end);
                let x9 = pixel(line + i9, c, x + 8u <= end);
                let left8 = mat4x4<f32>(x4, x5, x6, x7);
                let mid8 = mat4x4<f32>(x5, x6, x7, x8);
                let right8 = mat4x4<f32>(x6, x7, x8, x9);
                a1 += w0 * left8 + w1 * mid8 + w2 * right8;
                if (N > 1u) {
                    b1 += v0 * left8 + v1 * mid8 + v2 * right8;
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
