// Pixels: each channel round(255·clamp(scale·x + bias, 0, 1)), NaN as 0; red in
// the lowest byte, alpha 255, or 0 where a channel is not finite.
//
//   x [pixels, 3] → out [1, pixels] u32; one thread per pixel
//
// Bindings: 1 out · 2 x, as bits: WGSL lets compilers assume that no float is NaN,
// so the test is made on integers. Libraries: place. Prelude: WORKGROUP.
// CPU twin: toRGBA in engine/cpu.

struct Params {
    pixels: u32,
    out_at: u32, // counts u32s
    x_at: u32,   // these two count vec4s
    x_stride: u32,
    scale: f32,
    bias: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = place(group, groups, lane, 1u).x;
    if (i >= p.pixels) {
        return;
    }
    let bits = x[p.x_at + i * p.x_stride].xyz;
    let nan = (bits & vec3<u32>(0x7fffffffu)) > vec3<u32>(0x7f800000u);
    // Clamped before the arithmetic too, which must not meet an infinity.
    let v = clamp(bitcast<vec3<f32>>(select(bits, vec3<u32>(0u), nan)), vec3<f32>(-1e30), vec3<f32>(1e30));
    let level = floor(fma(clamp(fma(v, vec3<f32>(p.scale), vec3<f32>(p.bias)), vec3<f32>(0.0), vec3<f32>(1.0)), vec3<f32>(255.0), vec3<f32>(0.5)));
    let c = select(vec3<u32>(level), vec3<u32>(0u), nan);
    let finite = all((bits & vec3<u32>(0x7f800000u)) != vec3<u32>(0x7f800000u));
    out[p.out_at + i] = c.x | (c.y << 8u) | (c.z << 16u) | select(0u, 0xff000000u, finite);
}
