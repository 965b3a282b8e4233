package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/engine/conform"
	"undertone/engine/op"
	"undertone/engine/testing/networks"
	"undertone/engine/weights"
)

func TestForward(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	quantized, exact := filepath.Join(folder, "q"), filepath.Join(folder, "f")
	succeed(t, "convert", model, "--to", "Q8_0", "--out", quantized)
	succeed(t, "convert", model, "--to", "F32", "--out", exact)
	ramp := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(math.Sin(float64(i)))
		}
		return x
	}
	image := []int{4, 6, 8} // C, H, W: 3 × 4 tokens of 16
	input := func(name string, latent weights.Output) string {
		name = filepath.Join(folder, name)
		write(t, name, latent, weights.Float32s("tokens", op.F32, []int{5, 32}, ramp(160)),
			weights.Float32s("pooled", op.F32, []int{32}, ramp(32)), weights.Float32s("t", op.F32, nil, []float32{0.7}))
		return name
	}
	pass := func(model, in string) (map[string][]float32, string) {
		out := filepath.Join(folder, "out.safetensors")
		printed := succeed(t, "forward", model, "--in", in, "--out", out)
		return readAll(t, out), printed
	}
	chw := input("chw", weights.Float32s("latent", op.F32, image, ramp(192)))
	got, printed := pass(model, chw)
	if len(got["velocity"]) != 192 || len(got["blocks"]) != len(strings.Split(strings.TrimSpace(printed), "\n")) || len(got["blocks"]) < 3 {
		t.Fatalf("%d numbers, %d blocks, printed %q", len(got["velocity"]), len(got["blocks"]), printed)
	}
	if again, _ := pass(exact, chw); !reflect.DeepEqual(again, got) {
		t.Error("the same weights as F32 give another velocity")
	}
	coarse, _ := pass(quantized, chw)
	if e := relative(coarse["velocity"], got["velocity"]); e == 0 || e > 0.1 {
		t.Errorf("with Q8_0 weights the velocity is off by %g", e)
	}
	// A square latent gives the same velocity as tokens and as an image.
	square := []int{4, 6, 6}
	a, _ := pass(model, input("image", weights.Float32s("latent", op.F32, square, ramp(144))))
	b, _ := pass(model, input("tokens", weights.Float32s("latent", op.F32, []int{9, 16}, conform.Patchify(ramp(144), square))))
	if !reflect.DeepEqual(conform.Unpatchify(b["velocity"], square), a["velocity"]) {
		t.Error("tokens and image give different velocities")
	}
	for what, in := range map[string]string{
		"t is missing among the 3 tensors": timeless(t, folder), "wanted [tokens of a square": input("odd", weights.Float32s("latent", op.F32, []int{8, 16}, ramp(128))),
	} {
		if code, _, stderr := cli("forward", model, "--in", in, "--out", filepath.Join(folder, "x")); code != 1 || !strings.Contains(stderr, what) {
			t.Errorf("code %d, %q; wanted it to say %q", code, stderr, what)
		}
	}
}

// Numbers that are none are refused with their place, going in and coming out, and
// nothing is written.
func TestForwardRefusesWhatIsNotFinite(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		tensor string
		at     int
		value  float32
		says   string
	}{
		{"latent", 4*6 + 2*6 + 5, nan, "latent of shape [4 4 6] has 1 elements of 96 that are NaN or infinite, the first, NaN, at [1 2 5]"},
		{"tokens", 2*32 + 7, inf, "tokens of shape [5 32] has 1 elements of 160 that are NaN or infinite, the first, -Inf, at [2 7]"},
		{"pooled", 31, nan, "the first, NaN, at [31]"},
		{"t", 0, inf, "t of shape [] has 1 elements of 1"},
		{"latent", 0, 3e38, "after double_blocks.0.img the residual stream has values that are NaN or infinite"},
	} {
		x := map[string][]float32{"latent": make([]float32, 96), "tokens": make([]float32, 160), "pooled": make([]float32, 32), "t": {0.5}}
		x[c.tensor][c.at] = c.value
		if c.value == 3e38 {
			for i := range x["latent"] {
				x["latent"][i] = c.value
			}
		}
		in, out := filepath.Join(folder, "in"), filepath.Join(folder, "out")
		write(t, in, weights.Float32s("latent", op.F32, []int{4, 4, 6}, x["latent"]), weights.Float32s("tokens", op.F32, []int{5, 32}, x["tokens"]),
			weights.Float32s("pooled", op.F32, []int{32}, x["pooled"]), weights.Float32s("t", op.F32, nil, x["t"]))
		code, stdout, stderr := cli("forward", model, "--in", in, "--out", out)
		if code != 1 || stdout != "" || !strings.Contains(stderr, c.says) {
			t.Errorf("%s with %g: code %d, %q; wanted it to say %q", c.tensor, c.value, code, stderr, c.says)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s with %g: a result was written", c.tensor, c.value)
		}
	}
}

// HiDream reads the states of T5 and those of all layers of Llama, which cannot be joined.
func TestForwardOfHiDream(t *testing.T) {
	paths, folder := networks.WriteHiDream(t, t.TempDir()), t.TempDir()
	in, out := filepath.Join(folder, "in"), filepath.Join(folder, "out")
	pass := func(layers int, llama float32) (code int, stderr string) {
		wave := func(n int, by float32) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = by * float32(math.Sin(float64(i)))
			}
			return x
		}
		write(t, in, weights.Float32s("latent", op.F32, []int{16, 4, 4}, wave(256, 1)), weights.Float32s("t5", op.F32, []int{5, 24}, wave(120, 1)),
			weights.Float32s("llama", op.F32, []int{layers, 3, 32}, wave(96*layers, llama)), weights.Float32s("pooled", op.F32, []int{32}, wave(32, 1)), weights.Float32s("t", op.F32, nil, []float32{0.7}))
		code, _, stderr = cli(append([]string{"forward", "--in", in, "--out", out}, paths...)...)
		return code, stderr
	}
	if code, stderr := pass(2, 1); code != 0 {
		t.Fatalf("code %d, %s", code, stderr)
	}
	a := readAll(t, out)
	if code, stderr := pass(2, 2); code != 0 {
		t.Fatalf("code %d, %s", code, stderr)
	}
	b := readAll(t, out)
	if len(a["velocity"]) != 256 || len(a["blocks"]) < 3 || reflect.DeepEqual(a["velocity"], b["velocity"]) {
		t.Errorf("%d numbers, %d blocks; other states of Llama give another velocity: %t", len(a["velocity"]), len(a["blocks"]), !reflect.DeepEqual(a["velocity"], b["velocity"]))
	}
	if code, stderr := pass(1, 1); code != 1 || !strings.Contains(stderr, `"llama" gives the states of 1 layer, the transformer reads 2`) {
		t.Errorf("one layer of Llama: code %d, %s", code, stderr)
	}
}

// timeless writes an input without a time.
func timeless(t *testing.T, folder string) string {
	t.Helper()
	name := filepath.Join(folder, "timeless")
	write(t, name, weights.Float32s("latent", op.F32, []int{1, 16}, make([]float32, 16)), weights.Float32s("tokens", op.F32, []int{1, 32}, make([]float32, 32)),
		weights.Float32s("pooled", op.F32, []int{32}, make([]float32, 32)))
	return name
}

func write(t *testing.T, name string, outputs ...weights.Output) {
	t.Helper()
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, name string) map[string][]float32 {
	t.Helper()
	src := bytes.NewReader(read(t, name))
	x, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, ts := range x.Tensors {
		if all[ts.Name], err = weights.ReadFloat32(src, ts); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func relative(got, want []float32) float64 {
	var d, n float64
	for i := range want {
		d += math.Pow(float64(got[i])-float64(want[i]), 2)
		n += math.Pow(float64(want[i]), 2)
	}
	return math.Sqrt(d / n)
}

func TestPatchify(t *testing.T) {
	// Two channels of 2 × 4: two tokens, each with c, row, column in that order.
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17}
	want := []float32{0, 1, 4, 5, 10, 11, 14, 15, 2, 3, 6, 7, 12, 13, 16, 17}
	got := conform.Patchify(x, []int{2, 2, 4})
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(conform.Unpatchify(got, []int{2, 2, 4}), x) {
		t.Errorf("%v, wanted %v", got, want)
	}
}
