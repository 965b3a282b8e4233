// The neighbourhood of every position of a window as one row, channel first, then tap:
// out(position, c·taps + tap) = x(position·stride + tap − before, c), 0 outside of x.
//
//   x [frames·height·width, C] → out [positions, C·taps], taps = kernel_f·kernel_y·kernel_x;
//   one thread per four columns of a row of out
//
// Bindings: 1 out · 2 x, as single numbers. Libraries: store, place. Prelude: WORKGROUP.
// CPU twin: unfold in engine/cpu.

struct Params {
    rows: u32, // of the output
    cols: u32,
    out_at: u32, // offsets and strides of out count vec4s, of x numbers
    out_stride: u32,
    x_at: u32,
    x_stride: u32,
    frames: u32, // of x
    height: u32,
    width: u32,
    kernel_f: u32,
    kernel_y: u32,
    kernel_x: u32,
    stride_f: u32,
    stride_y: u32,
    stride_x: u32,
    before_f: u32,
    before_y: u32,
    before_x: u32,
    out_height: u32,
    out_width: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

// What belongs at a row and column of the output; past the last column, the last. Before
// the first frame, row and column a difference of u32s wraps round to a large number,
// which is outside as well.
fn element(row: u32, col: u32) -> f32 {
    let taps = p.kernel_f * p.kernel_y * p.kernel_x;
    let c = min(col, p.cols - 1u);
    let tap = c % taps;
    let f = row / (p.out_height * p.out_width) * p.stride_f + tap / (p.kernel_y * p.kernel_x) - p.before_f;
    let h = row / p.out_width % p.out_height * p.stride_y + tap / p.kernel_x % p.kernel_y - p.before_y;
    let w = row % p.out_width * p.stride_x + tap % p.kernel_x - p.before_x;
    if (f >= p.frames || h >= p.height || w >= p.width) {
        return 0.0;
    }
    return x[p.x_at + ((f * p.height + h) * p.width + w) * p.x_stride + c / taps];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = place(group, groups, lane, (p.cols + 3u) / 4u);
    if (at.x >= p.rows) {
        return;
    }
    let c = 4u * at.y;
    let v = vec4<f32>(element(at.x, c), element(at.x, c + 1u), element(at.x, c + 2u), element(at.x, c + 3u));
    store4(p.out_at + at.x * p.out_stride + at.y, v, p.cols - c);
}
