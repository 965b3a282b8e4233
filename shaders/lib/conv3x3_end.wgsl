// The bindings of the 3×3 convolutions, and their end: bias, residual, activation.

struct Params {
    height: u32,
    width: u32,
    cin: u32,
    cin4: u32, // vec4s
    cout: u32,
    cout4: u32, // vec4s
    out_at: u32, // offsets and strides count vec4s
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    has_bias: u32,
    bias_at: u32,
    residual_at: u32,
    residual_stride: u32,
    first: u32, // workgroup from above
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;

// Writes output channels 4·channel … of pixel (x, y), if there is such a pixel.
fn finish1(v: vec4<f32>, x: u32, y: u32, channel: u32) {
    if (x >= p.width) {
        return;
    }
    let pixel = y * p.width + x;
    var sum = v + operand(p.residual_at + pixel * p.residual_stride + channel);
    if (p.has_bias != 0u) {
        sum += bias[p.bias_at + channel];
    }
    store4(p.out_at + pixel * p.out_stride + channel, activate(sum), p.cout - 4u * channel);
}

// The same for pixels (x, y) … (x + 3, y), the columns of v.
fn finish(v: mat4x4<f32>, x: u32, y: u32, channel: u32) {
    if (y >= p.height || channel >= p.cout4) {
        return;
    }
    finish1(v[0], x, y, channel);
    finish1(v[1], x + 1u, y, channel);
    finish1(v[2], x + 2u, y, channel);
    finish1(v[3], x + 3u, y, channel);
}
