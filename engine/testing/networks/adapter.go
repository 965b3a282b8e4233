package networks

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// adapter compares a FLUX without a path for the pooled vector, which has an adapter of the
// same layers, with the one that has the path: what both make of words and times, and what
// every block's modulation is made of, counted slowly.
func adapter(t *testing.T, be op.Backend) {
	const blocks, hidden = 5, 48
	ask := with(frog, engine.Term{Positive: "at night", Negative: "in day", Weight: 2, Head: 1})
	ask.Steps = 1
	own := listen(be)
	picture(t, newFixture(t).load(own), ask)

	f := newFixture(t)
	dit := f.tensors["dit"]
	pooled, added := f.cut()
	plain := picture(t, f.load(listen(be)), frog)
	f.dit["pooled_dim"] = pooled
	maps.Copy(dit, added)
	scales := dit["scales"].data
	silent := picture(t, f.load(listen(be)), frog)
	if !slices.Equal(bits(silent.Latent), bits(plain.Latent)) {
		t.Error("an adapter with scales of zeros changes the picture")
	}
	for i := range scales {
		scales[i] = float32(math.Sin(float64(i)))
	}
	l := listen(be)
	e := f.load(l)
	if loud := picture(t, e, frog); slices.Equal(bits(loud.Latent), bits(plain.Latent)) {
		t.Error("an adapter changes nothing")
	}
	off := frog
	off.Ablate = &recipe.Ablation{Pooled: recipe.PooledOff}
	if got := picture(t, e, off); !slices.Equal(bits(got.Latent), bits(plain.Latent)) {
		t.Error("an adapter that is off changes the picture")
	}
	picture(t, e, ask)
	yhat := l.wrote["yhat"]
	mods, err := be.Read(background(), l.made["modulation"].Slice(0, 1))
	if err != nil || len(yhat) != (blocks+1)*2*hidden {
		t.Fatal(len(yhat), err)
	}
	want := make([]float64, 0, len(mods))
	for n := range blocks + 1 {
		y := make([]float64, hidden)
		for i := range y {
			tau, psi := float64(yhat[n*2*hidden+i]), float64(yhat[n*2*hidden+hidden+i])
			if d := math.Abs(tau + psi - float64(own.wrote["yhat"][n*hidden+i])); d > 1e-5 {
				t.Fatalf("block %d: τ + ψ is off by %g", n, d)
			}
			y[i] = tau
			if n < blocks {
				y[i] += float64(scales[n*hidden+i]) * psi
			}
			y[i] /= 1 + math.Exp(-y[i])
		}
		for _, name := range modulations(n) {
			want = append(want, layer(dit, name, y)...)
		}
	}
	if off := apart64(mods, want); !(off <= 1e-5) {
		t.Errorf("the modulation is off by %.3g of its root mean square", off)
	}
}

// cut takes the path for the pooled vector from the fixture's transformer. An adapter with
// the same layers, and scales of zeros, would give it back.
func (f *fixture) cut() (pooled any, adapter map[string]*tensor) {
	pooled, f.dit["vec_in_dim"] = f.dit["vec_in_dim"], 0
	dit, adapter := f.tensors["dit"], map[string]*tensor{}
	for i, layer := range []string{"in_layer", "out_layer"} {
		for _, part := range []string{"weight", "bias"} {
			name := "vector_in." + layer + "." + part
			adapter[fmt.Sprintf("text_embedder_clip.linear_%d.%s", i+1, part)] = dit[name]
			delete(dit, name)
		}
	}
	const blocks, hidden = 5, 48
	adapter["scales"] = &tensor{[]int{blocks, hidden}, make([]float32, blocks*hidden)}
	return pooled, adapter
}

// WriteCut is WriteSmall for a model without a path for the pooled vector. An adapter that
// gives it one goes into a file of its own.
func WriteCut(t *testing.T, folder, adapter string) {
	t.Helper()
	f := newFixture(t)
	_, added := f.cut()
	f.save(folder, 0)
	for i := range added["scales"].data {
		added["scales"].data[i] = float32(math.Sin(float64(i)))
	}
	if err := os.WriteFile(adapter, f.safetensors(added), 0o644); err != nil {
		t.Fatal(err)
	}
}

// modulations are the layers that a block of the fixture, or its head, is modulated by.
func modulations(n int) []string {
	switch {
	case n < 2:
		return []string{fmt.Sprintf("double_blocks.%d.img_mod.lin", n), fmt.Sprintf("double_blocks.%d.txt_mod.lin", n)}
	case n < 5:
		return []string{fmt.Sprintf("single_blocks.%d.modulation.lin", n-2)}
	}
	return []string{"final_layer.adaLN_modulation.1"}
}

// layer is W·x + b.
func layer(tensors map[string]*tensor, name string, x []float64) (out []float64) {
	w, b := tensors[name+".weight"], tensors[name+".bias"]
	for r := range w.shape[0] {
		sum := float64(b.data[r])
		for i, v := range x {
			sum += float64(w.data[r*len(x)+i]) * v
		}
		out = append(out, sum)
	}
	return out
}

// apart64 is the largest difference over the root mean square of what is wanted.
func apart64(got []float32, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	most, sum := 0.0, 0.0
	for i, v := range want {
		most, sum = max(most, math.Abs(float64(got[i])-v)), sum+v*v
	}
	return most / math.Sqrt(sum/float64(len(want)))
}
