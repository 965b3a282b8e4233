package engine_test

import (
	"context"
	"math"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// Modulation that does not fit into one binding is computed in chunks of steps;
// the picture must not show it, with one branch or two.
func TestModulationInChunks(t *testing.T) {
	const row = 4 * (12*2 + 3*3 + 2) * 48 // bytes of the small model's modulation of one row
	for _, cfg := range []float64{1, 3} {
		req := engine.Request{Prompt: "a red frog", Seed: 3, Steps: 5, Size: recipe.Square(16), CFG: cfg}
		latent := func(limit int) []float32 {
			defer engine.LimitModulation(limit)()
			e := networks.Small(t, cpu.New(cpu.Options{}))
			defer e.Close()
			r, err := e.Generate(context.Background(), req, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r.Latent
		}
		want := latent(1 << 20)
		for _, rows := range []int{0, 1, 2, 3, 4, 5, 7} {
			for i, v := range latent(rows*row + row/2) {
				if math.Float32bits(v) != math.Float32bits(want[i]) {
					t.Fatalf("scale %g, %d rows at once: element %d is %g, want %g", cfg, rows, i, v, want[i])
				}
			}
		}
	}
}
