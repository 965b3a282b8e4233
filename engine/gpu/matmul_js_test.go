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
	all := tiles
	defer func() { tiles = all }()
	for i, v := range all {
		tiles = all[i : i+1]
		t.Run(fmt.Sprintf("%dx%d", v.m, v.n), func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) { c.Run(t, d, ref) })
			}
		})
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
