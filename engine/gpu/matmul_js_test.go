package gpu

import (
	"fmt"
	"slices"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// named picks cases of MatMul.
func named(t *testing.T, names ...string) []ops.Case {
	t.Helper()
	var out []ops.Case
	for _, c := range ops.Cases() {
		if c.Kind == op.MatMul && slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	if len(out) != len(names) {
		t.Fatalf("%d of the cases %v exist", len(out), names)
	}
	return out
}

// TestMatMulTiles runs each tile on shapes for which it would not be chosen:
// smaller than the tile, and with tails on every side.
func TestMatMulTiles(t *testing.T) {
	cases := named(t, "31x63x127_f32_bias_framed", "97x65x256_q8_0_bias_gate_residual_inplace_framed",
		"70x72x64_q4_0_bias_gelu_from32_gap20at32_framed", "33x65x129_f16_skip6_framed", "127x129x128_q8_0_framed")
	d, ref := open(t, Options{Hardware: true, Portable: true}), cpu.New(cpu.Options{})
	for _, v := range tiles {
		d.Prefer(fmt.Sprintf("tile %d×%d", v.m, v.n))
		t.Run(fmt.Sprintf("%dx%d", v.m, v.n), func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) { c.Run(t, d, ref) })
			}
		})
	}
}

// TestMatMulSplit divides K wherever it has two tiles, twice with the same bits, on a device
// without any limit or feature.
func TestMatMulSplit(t *testing.T) {
	defer func(usual int) { shortest = usual }(shortest)
	shortest = 1 // a tile
	for name, cases := range map[string][]ops.Case{
		"split 64×64": named(t, "31x63x127_f32_bias_framed", "32x256x1280_f32_bias_gate_residual_inplace_outliers", "33x36x128_f32_mean800",
			"65x37x1101_f32_bias_gelu_gate_residual_inplace_framed", "97x65x256_q8_0_bias_gate_residual_inplace_framed"),
		"split 32×32": named(t, "33x65x129_f16_skip6_framed", "17x40x1026_f16_residual_other_outliers_rows7to47",
			"70x72x64_q4_0_bias_gelu_from32_gap20at32_framed"),
	} {
		d := open(t, Options{Hardware: true, Portable: true})
		d.Prefer(name)
		for _, c := range cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) {
				first, second := &seen{Device: d, submit: d.submit}, &seen{Device: d, submit: d.submit}
				c.Run(t, first, cpu.New(cpu.Options{}))
				c.Run(t, second, first)
				if first.launches != 4 {
					t.Errorf("two products in %d launches, want 4", first.launches)
				}
				if !slices.Equal(first.bits, slices.Concat(second.bits, second.bits)) {
					t.Error("other numbers a second time")
				}
			})
		}
	}
}

// TestHalves runs the kernels that compute in f16, which are not chosen by themselves, where
// the device has it.
func TestHalves(t *testing.T) {
	d, ref := open(t, Options{Hardware: true}), cpu.New(cpu.Options{})
	d.Round(16)
	if !d.Caps().F16 {
		t.Skip("the device has no f16")
	}
	some := []string{"31x63x127_f32_bias_framed", "97x65x256_q8_0_bias_gate_residual_inplace_framed", "127x129x128_q8_0_framed",
		"33x65x129_f16_skip6_framed", "32x256x1280_f32_bias_gate_residual_inplace_outliers", "33x36x128_f32_mean800", "33x36x128_q8_0_mean800",
		"32x32_8to8_BF16_bias_relu", "17x13_7to11_F32_bias_gelu_residual_inplace_framed", "16x16_64to64_F16_bias_relu_residual_other",
		"s65_heads3x64_framed", "s97_heads2x20_causal_framed", "s96_heads4x64_logits16", "views_s5_t67_heads2.2x64_framed",
		"views_s65_t65_heads4.1x80_causal_mask_framed", "views_s6_t70_heads1.1x512_bias_heads_framed"}
	for _, name := range []string{"f16", "f16 128×128", "f16 64×64", "f16 32×64"} {
		d.Prefer(name)
		ran := 0
		for _, c := range ops.Cases() {
			if (c.Kind == op.MatMul || (c.Kind == op.Attention || c.Kind == op.Conv3x3) && name == "f16") && slices.Contains(some, c.Name) {
				t.Run(name+"/"+c.Name, func(t *testing.T) { c.RunRounded(t, d, ref, 16) })
				ran++
			}
		}
		if ran < 5 {
			t.Errorf("%s: %d cases ran", name, ran)
		}
	}
}

// TestBytes runs the kernels that round activations to 8 bits, which are not chosen by
// themselves, where the browser multiplies bytes.
func TestBytes(t *testing.T) {
	d, ref := open(t, Options{Hardware: true}), cpu.New(cpu.Options{})
	d.Round(8)
	if !d.Caps().Dot4 {
		t.Skip("WGSL has no dot products of bytes here")
	}
	cases := named(t, "127x129x128_q8_0_framed", "97x65x256_q8_0_bias_gate_residual_inplace_framed", "33x127x160_q4_0_bias_framed",
		"32x256x1280_q8_0_bias_gate_residual_inplace_outliers", "33x36x128_q8_0_mean800", "70x72x64_q4_0_bias_gelu_from32_gap20at32_framed")
	for i, name := range []string{"int8 64×64", "int8 32×64", "int8 32×32"} {
		d.Prefer(name)
		for _, c := range cases[2*i:] { // compiling takes a software adapter seconds
			t.Run(name+"/"+c.Name, func(t *testing.T) { c.RunRounded(t, d, ref, 8) })
		}
	}
}

// TestMatMulSharded runs products whose weights lie in several buffers.
func TestMatMulSharded(t *testing.T) {
	cases := named(t, "32x1792x256_f32_bias_gelu_tanh_from768_gap256at768", "32x1792x256_f16_bias_gelu_tanh_from768_gap256at768",
		"32x256x1280_f32_bias_gate_residual_inplace_outliers", "4x1536x256_f32_bias", "4x1536x256_q8_0_bias")
	for _, o := range []Options{{}, {Hardware: true}} {
		d := open(t, o)
		// What raw bytes pass through is made while the limit is still high.
		w, err := d.Upload(soon(t), table("first", newPieces(counting(0, 512, 1024)), 0, 512, 1024))
		if err != nil {
			t.Fatal(err)
		}
		d.Free(w)
		d.caps.MaxBinding = 320 << 10
		for _, c := range cases {
			t.Run(fmt.Sprintf("%s hardware=%t", c.Name, o.Hardware), func(t *testing.T) { c.Run(t, d, cpu.New(cpu.Options{})) })
		}
	}
}
