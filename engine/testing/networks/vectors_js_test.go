package networks

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/cpu/simd"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/guidance"
)

// These tests run under Node: see `make gpu`.

// The networks of the golden files by the CPU's SIMD kernels, within the GPU's limits.
func TestVectorsNetworks(t *testing.T) {
	Golden(t, cpu.New(cpu.Options{SIMD: simd.Load()}), GPU)
}

// The pictures of the shipped model by the CPU's SIMD kernels: those of plain Go to at least
// 60 dB, the same bytes each time, and a weight of 0 as no guidance.
func TestVectorsPictures(t *testing.T) {
	b, err := weights.LoadBundle(background(), weights.Dir(filepath.Join(root(t), "models", "sprites")), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	night := engine.Term{Positive: "at night", Negative: "by day", Weight: 2, Schedule: guidance.Schedule{Kind: "constant"}}
	none := night
	none.Weight = 0
	plain := engine.Request{Prompt: "a frog in a meadow", Seed: 1, Steps: 2, CFG: 1, Size: recipe.Square(256)}
	guided := engine.Request{Prompt: "a house in the snow", Seed: 7, Steps: 1, CFG: 1, Size: recipe.Square(256), Guidance: []engine.Term{night}}

	draw := func(m *simd.Module, asked ...engine.Request) (pictures []*engine.Result) {
		e, err := engine.Load(background(), cpu.New(cpu.Options{SIMD: m}), b, engine.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for _, r := range asked {
			pictures = append(pictures, picture(t, e, r))
		}
		return pictures
	}
	want := draw(nil, plain, guided)
	for _, fused := range []bool{false, true} {
		m, err := simd.Open(fused)
		if err != nil {
			t.Fatal(err)
		}
		got := draw(m, plain, guided, plain, with(plain, none))
		for i, w := range want {
			db := psnr(got[i].Image.RGBA, w.Image.RGBA)
			t.Logf("relaxed %t: %.1f dB", fused, db)
			if !(db >= 60) {
				t.Errorf("relaxed %t, picture %d: %.1f dB to plain Go, at least 60 are wanted", fused, i, db)
			}
		}
		for i, name := range map[int]string{2: "a second time", 3: "with a weight of 0"} {
			if !slices.Equal(got[i].Latent, got[0].Latent) || !slices.Equal(got[i].Image.RGBA, got[0].Image.RGBA) {
				t.Errorf("relaxed %t: another picture %s", fused, name)
			}
		}
	}
}

// psnr is the ratio of peak and noise of the colours of two pictures, in dB.
func psnr(a, b []byte) float64 {
	sum, n := 0.0, 0
	for i := range a {
		if i%4 == 3 {
			continue
		}
		d := float64(a[i]) - float64(b[i])
		sum, n = sum+d*d, n+1
	}
	return 10 * math.Log10(255*255*float64(n)/sum)
}
