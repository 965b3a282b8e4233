// out = act(conv(x) + bias + residual): 3×3 convolution, stride 1, zero padding 1,
// channels last, as an implicit matrix product.
//
//   x [height·width, cin] → out [height·width, cout] · weights as lower_conv.go
//   lays them out · bias [1, cout] · residual [height·width, cout]
//   A workgroup makes P·RUNS × ROWS pixels × 4·N·GROUPS output channels; a thread
//   P pixels side by side × N vec4s of channels. Of each row of x it needs P + 2
//   vec4s for three taps of P pixels. CK vec4s of input channels at a time lie in
//   workgroup memory, with a border of one pixel.
//
// Bindings: 1 out · 2 x · 3 weights · 4 bias (weights where absent) · OPERAND (5)
// residual. Libraries: activation, keep, f32 or f16, mac, store, operand or
// operand_in_place or operand_none, conv3x3_end. Prelude: ACT, OPERAND, HALVED (1: x is to be doubled, of
// which it leaves out SKIP lines; else 0), P (4 or 8), N (1 or 2), RUNS, ROWS, GROUPS, CK. CPU twin: conv3x3 in engine/cpu. Without workgroup
// memory: conv3x3_cpu.

const THREADS = RUNS * ROWS * GROUPS;
const WIDE = P * RUNS + 2u;
const PITCH = WIDE | 1u; // odd, against bank conflicts
const HIGH = ROWS + 2u;
const CHANNELS = GROUPS * N; // vec4s
const TAP = 4u * CK * CHANNELS; // vec4s of one tap's weights
// Vectors of workgroup memory, by name. Quirk: array-length.
const TILE = CK * HIGH * PITCH;
const KERNEL = 9u * TAP;

var<workgroup> tile: array<operand4, TILE>;     // [channels][row][column]
var<workgroup> kernel: array<operand4, KERNEL>; // [tap][input channel][output channels]

// The weights of a tap from four input channels (columns) to four output channels.
fn weights(at: u32) -> block {
    return block(kernel[at], kernel[at + CHANNELS], kernel[at + 2u * CHANNELS], kernel[at + 3u * CHANNELS]);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // Output channels vary fastest, then rows: neighbours read one pixel or rows an odd pitch apart.
    let g = lane % GROUPS;
    let row = lane / GROUPS % ROWS;
    let run = lane / (GROUPS * ROWS);
    let left = i32(group.x * P * RUNS) - 1;
    let upper = i32((p.first + group.y) * ROWS) - 1;
    let channel = group.z * CHANNELS;

    // a and b: the first and second vec4 of channels; 0 and 1: pixels 0 … 3 and 4 … 7.
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    for (var c4 = 0u; c4 < p.cin4; c4 += CK) {
        workgroupBarrier();
        for (var i = lane; i < CK * HIGH * WIDE; i += THREADS) {
            let c = c4 + i % CK;
            let col = i / CK % WIDE;
            let line = i / (CK * WIDE);
            let x = left + i32(col);
            let y = upper + i32(line);
            var v = vec4<f32>(0.0);
            if (x >= 0 && y >= 0 && x < i32(p.width) && y < i32(p.height) && c < p.cin4) {
                v = keep4(input[p.x_at + (((u32(y) + SKIP) >> HALVED) * (p.width >> HALVED) + (u32(x) >> HALVED)) * p.x_stride + c], p.cin - 4u * c);
            }
            tile[(i % CK * HIGH + line) * PITCH + col] = rounded(v);
        }
        for (var i = lane; i < KERNEL; i += THREADS) {
            let ci = min(4u * c4 + i / CHANNELS % (4u * CK), 4u * p.cin4 - 1u);
            let co = min(channel + i % CHANNELS, p.cout4 - 1u);
            kernel[i] = rounded(weight[(i / (4u * CK * CHANNELS) * 4u * p.cin4 + ci) * p.cout4 + co]);
        }
        workgroupBarrier();
        for (var c = 0u; c < CK; c++) {
            var sa0 = begin(a0);
            var sa1 = begin(a1);
            var sb0 = begin(b0);
            var sb1 = begin(b1);
            for (var ky = 0u; ky < 3u; ky++) {
                let t = (c * HIGH + row + ky) * PITCH + run * P;
                let x0 = tile[t];
                let x1 = tile[t + 1u];
                let x2 = tile[t + 2u];
                let x3 = tile[t + 3u];
                let x4 = tile[t + 4u];
                let x5 = tile[t + 5u];
                let left4 = block(x0, x1, x2, x3);
                let mid4 = block(x1, x2, x3, x4);
                let right4 = block(x2, x3, x4, x5);
                let k = (3u * ky * CK + c) * 4u * CHANNELS + g;
                sa0 = mac4(sa0, weights(k), left4);
                sa0 = mac4(sa0, weights(k + TAP), mid4);
                sa0 = mac4(sa0, weights(k + 2u * TAP), right4);
                if (N > 1u) {
                    sb0 = mac4(sb0, weights(k + GROUPS), left4);
                    sb0 = mac4(sb0, weights(k + TAP + GROUPS), mid4);
                    sb0 = mac4(sb0, weights(k + 2u * TAP + GROUPS), right4);
                }
                if (P > 4u) {
                    let x6 = tile[t + 6u];
                    let x7 = tile[t + 7u];
                    let x8 = tile[t + 8u];
                    let x9 = tile[t + 9u];
                    let left8 = block(x4, x5, x6, x7);
                    let mid8 = block(x5, x6, x7, x8);
                    let right8 = block(x6, x7, x8, x9);
                    sa1 = mac4(sa1, weights(k), left8);
                    sa1 = mac4(sa1, weights(k + TAP), mid8);
                    sa1 = mac4(sa1, weights(k + 2u * TAP), right8);
                    if (N > 1u) {
                        sb1 = mac4(sb1, weights(k + GROUPS), left8);
                        sb1 = mac4(sb1, weights(k + TAP + GROUPS), mid8);
                        sb1 = mac4(sb1, weights(k + 2u * TAP + GROUPS), right8);
                    }
                }
            }
            a0 = end(a0, sa0);
            a1 = end(a1, sa1);
            b0 = end(b0, sb0);
            b1 = end(b1, sb1);
        }
    }
    let x = group.x * P * RUNS + run * P;
    let y = (p.first + group.y) * ROWS + row;
    finish(a0, x, y, channel + g);
    if (P > 4u) {
        finish(a1, x + 4u, y, channel + g);
    }
    if (N > 1u) {
        finish(b0, x, y, channel + g + GROUPS);
        if (P > 4u) {
            finish(b1, x + 4u, y, channel + g + GROUPS);
        }
    }
}
