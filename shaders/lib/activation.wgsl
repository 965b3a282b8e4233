// act(x) for four values at once: the op.Act named by the constant ACT of the
// prelude (const ACT: u32 = 3u;). The other branches fold away.
// CPU twin: activate in engine/cpu.
//
// WGSL's own tanh may be off by 1e-5, its exp(x) by 3 + 2|x| units in the last
// place, and no compiler need respect infinities. So everything here is built
// from exp with a clamped argument, in forms that keep *relative* accuracy where
// the result is small: 1 + tanh or 1 + erf would cancel there.

const ACT_RELU: u32 = 1u;
const ACT_SILU: u32 = 2u;
const ACT_GELU: u32 = 3u;
const ACT_GELU_TANH: u32 = 4u;
const ACT_QUICK_GELU: u32 = 5u;
const ACT_CLAMP3: u32 = 6u;

// σ(x). Beyond ±80 it is 0 or 1 to within 1e-34.
fn act_sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-80.0), vec4<f32>(80.0))));
}

// x·Φ(x). With a = |x|, Φ(−a) = e^(−a²/2)·t·P(t), t = 1/(1 + 0.3a), where P is a
// minimax fit of degree 7, relative error 1e-7 for every a ≤ 12 (beyond, Φ(−a) is
// below 1e-32 and any value will do). For x > 0, Φ(x) = 1 − Φ(−a).
fn act_gelu(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let t = 1.0 / (1.0 + 0.3 * a);
    var p = vec4<f32>(0.036741983842);
    p = fma(p, t, vec4<f32>(-0.161681084732));
    p = fma(p, t, vec4<f32>(0.214136026792));
    p = fma(p, t, vec4<f32>(-0.060922841143));
    p = fma(p, t, vec4<f32>(0.132441680680));
    p = fma(p, t, vec4<f32>(0.098718787181));
    p = fma(p, t, vec4<f32>(0.120949137206));
    p = fma(p, t, vec4<f32>(0.119616269396));
    let tail = p * t * exp(max(-0.5 * a * a, vec4<f32>(-85.0)));
    return x * select(1.0 - tail, tail, x < vec4<f32>(0.0));
}

// tanh(y): an odd minimax polynomial (relative error 1e-7) up to 0.625, where
// (1 − e)/(1 + e) would cancel, and e = exp(−2|y|) beyond.
fn act_tanh(y: vec4<f32>) -> vec4<f32> {
    let s = y * y;
    var p = vec4<f32>(0.0150517455322);
    p = fma(p, s, vec4<f32>(-0.0518225709396));
    p = fma(p, s, vec4<f32>(0.133045466518));
    p = fma(p, s, vec4<f32>(-0.333319564919));
    p = fma(p, s, vec4<f32>(0.999999893782));
    let e = exp(max(-2.0 * abs(y), vec4<f32>(-80.0)));
    return select(sign(y) * (1.0 - e) / (1.0 + e), y * p, abs(y) < vec4<f32>(0.625));
}

fn activate(x: vec4<f32>) -> vec4<f32> {
    if (ACT == ACT_RELU) {
        return max(x, vec4<f32>(0.0));
    }
    if (ACT == ACT_SILU) {
        return x * act_sigmoid(x);
    }
    if (ACT == ACT_GELU) {
        return act_gelu(x);
    }
    if (ACT == ACT_GELU_TANH) {
        // ½(1 + tanh u) = σ(2u), u = √(2/π)·(x + 0.044715x³).
        return x * act_sigmoid(1.5957691216057308 * x * (1.0 + 0.044715 * x * x));
    }
    if (ACT == ACT_QUICK_GELU) {
        return x * act_sigmoid(1.702 * x);
    }
    if (ACT == ACT_CLAMP3) {
        return 3.0 * act_tanh(x * 0.3333333333333333);
    }
    return x;
}
