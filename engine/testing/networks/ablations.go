package networks

import (
	"math"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// ablations compares pictures of which something was taken away with the picture that
// shows the same by other means, and ψ of what stands in with the network written out.
func ablations(t *testing.T, be op.Backend) {
	f := newFixture(t)
	l := listen(be)
	e := f.load(l)
	with := func(a *recipe.Ablation, cfg float64) *engine.Result {
		req := frog
		req.Ablate, req.CFG = a, cfg
		return picture(t, e, req)
	}
	same := func(what string, a, b *engine.Result) {
		t.Helper()
		if !slices.Equal(bits(a.Latent), bits(b.Latent)) {
			t.Errorf("%s: another picture", what)
		}
	}
	plain := with(nil, 1)
	before := slices.Clone(l.wrote["yhat"])
	same("nothing taken away", with(&recipe.Ablation{}, 1), plain)
	same("its own pooled vector", with(&recipe.Ablation{Pooled: recipe.PooledOfPrompt, Prompt: frog.Prompt}, 1), plain)
	other := frog
	other.Prompt = ""
	same("the empty prompt by parts", with(&recipe.Ablation{Pooled: recipe.PooledOfPrompt, Tokens: recipe.TokensEmpty}, 1), picture(t, e, other))
	if slices.Equal(bits(with(&recipe.Ablation{Tokens: recipe.TokensEmpty}, 1).Latent), bits(plain.Latent)) {
		t.Error("tokens of no words change nothing")
	}

	none := with(&recipe.Ablation{Pooled: recipe.PooledZero}, 1)
	if v := l.wrote["pooled"]; slices.ContainsFunc(v, func(x float32) bool { return x != 0 }) {
		t.Errorf("no zeros: %v", v)
	}
	zero := l.wrote["yhat"]
	drawn := with(&recipe.Ablation{Pooled: recipe.PooledRandom}, 1)
	vector := slices.Clone(l.wrote["pooled"][:l.made["pooled"].Cols])
	random := l.wrote["yhat"]
	same("the same random vector again", with(&recipe.Ablation{Pooled: recipe.PooledRandom}, 1), drawn)
	if slices.Equal(bits(none.Latent), bits(drawn.Latent)) || slices.Equal(bits(none.Latent), bits(plain.Latent)) {
		t.Error("what stands in for the pooled vector changes nothing")
	}
	own := l.read["pooled"]
	if a, b := length(own), length(vector); math.Abs(a/b-1) > 1e-6 {
		t.Errorf("the random vector is %g long, the prompt's %g", b, a)
	}
	psi := f.psi(vector)
	for i, at := range f.psi(make([]float32, len(vector))) {
		if got := float64(random[i]) - float64(zero[i]); math.Abs(got-(psi[i]-at)) > 1e-4 {
			t.Errorf("ψ of the random vector is off by %g in element %d", got-(psi[i]-at), i)
			break
		}
	}

	req := frog
	req.Guidance = []recipe.Term{{Positive: "night", Negative: "day", Weight: 1}}
	steered := picture(t, e, req)
	req.Guidance[0].Random = true
	anyhow := picture(t, e, req)
	same("the same random direction again", picture(t, e, req), anyhow)
	if a, b := steered.Geometry[0], anyhow.Geometry[0]; math.Abs(b.NormDelta/a.NormDelta-1) > 1e-6 || math.Abs(a.AngleDegrees-b.AngleDegrees) < 1e-3 {
		t.Errorf("the direction is %+v, the random one in its place %+v", a, b)
	}

	with(nil, 3)
	two := slices.Clone(l.wrote["yhat"])
	with(&recipe.Ablation{Pooled: recipe.PooledZero}, 3)
	row := len(before) / frog.Steps
	for i, v := range l.wrote["yhat"] {
		if i/row%2 == 1 && v != two[i] {
			t.Fatal("the unconditional pass has lost something, too")
		}
	}
	for what, a := range map[string]recipe.Ablation{
		"unknown": {Pooled: "half"}, "unknown tokens": {Tokens: "none"}, "a prompt for nothing": {Pooled: recipe.PooledZero, Prompt: "a"},
	} {
		req := frog
		req.Ablate = &a
		if _, err := e.Generate(background(), req, nil); !fault.Is(err, fault.RequestInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// psi is the transformer's embedding of a pooled vector, written out.
func (f *fixture) psi(pooled []float32) []float64 {
	x := make([]float64, len(pooled))
	for i, v := range pooled {
		x[i] = float64(v)
	}
	layer := func(name string, x []float64) []float64 {
		w, b := f.tensors["dit"]["vector_in."+name+".weight"], f.tensors["dit"]["vector_in."+name+".bias"]
		y := make([]float64, w.shape[0])
		for i := range y {
			y[i] = float64(b.data[i])
			for j := range x {
				y[i] += float64(w.data[i*len(x)+j]) * x[j]
			}
		}
		return y
	}
	hidden := layer("in_layer", x)
	for i, v := range hidden {
		hidden[i] = v / (1 + math.Exp(-v))
	}
	return layer("out_layer", hidden)
}

func length(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
