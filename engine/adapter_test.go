package engine_test

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/cpu"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
	"undertone/guidance"
)

// openFiles opens published files, which stay open as long as the test runs.
func openFiles(t *testing.T, paths ...string) *checkpoint.Found {
	t.Helper()
	files, done, err := checkpoint.Open(paths...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	return identified(t, files)
}

// drawing makes the latents of pictures of a model.
func drawing(t *testing.T, found *checkpoint.Found) func(req engine.Request) []float32 {
	t.Helper()
	b, err := engine.Open(found)
	if err != nil {
		t.Fatal(err)
	}
	machine := cpu.New(cpu.Options{})
	e, err := engine.Load(t.Context(), machine, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return func(req engine.Request) []float32 {
		t.Helper()
		req.Prompt, req.Seed, req.Steps, req.Size = "a frog", 3, max(req.Steps, 1), recipe.Square(256)
		if req.CFG == 0 {
			req.CFG = 3
		}
		r, err := e.Generate(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Latent
	}
}

// An adapter beside its model gives it a pooled path and directions; off, it leaves the
// plain model bit for bit.
func TestAdapterBesideItsModel(t *testing.T) {
	folders := networks.WriteCosmos(t, t.TempDir())
	plain := drawing(t, openFiles(t, folders[:len(folders)-networks.CosmosAdapted]...))(engine.Request{})
	adapted := openFiles(t, folders...)
	if adapted.Adapter == nil || adapted.Adapter.Role != "adapter" || !adapted.Uses(adapted.Adapter.Files[0]) {
		t.Fatalf("%+v", adapted.Adapter)
	}
	draw := drawing(t, adapted)
	term := func(positive string, weight float64, s guidance.Schedule) engine.Term {
		return engine.Term{Positive: positive, Negative: "in day", Weight: weight, Schedule: s}
	}
	constant, late := guidance.Schedule{Kind: "constant"}, guidance.Schedule{Kind: "step", Start: 1}
	ask := func(pooled recipe.PooledAblation, rows guidance.Rows, terms ...engine.Term) []float32 {
		t.Helper()
		return draw(engine.Request{Guidance: terms, GuidanceRows: rows, Ablate: &recipe.Ablation{Pooled: pooled}})
	}
	own, guided, rising := ask("", ""), ask("", "", term("at night", 3, constant)), ask("", "", term("at night", 3, late))
	for name, x := range map[string]struct {
		a, b []float32
		same bool
	}{
		"off and the plain model":                           {ask(recipe.PooledOff, ""), plain, true},
		"off with a direction and the plain model":          {ask(recipe.PooledOff, "", term("at night", 3, constant)), plain, true},
		"the adapter and the plain model":                   {own, plain, false},
		"a weight of 0 and none":                            {ask("", "", term("at night", 0, constant)), own, true},
		"a direction and none":                              {guided, own, false},
		"what nobody says of the other pass, and nothing":   {guided, ask("", "cond", term("at night", 3, constant)), true},
		"the other pass with the direction, and without":    {ask("", "both", term("at night", 3, constant)), ask("", "cond", term("at night", 3, constant)), false},
		"a start block with and without what is before":     {rising, ask(recipe.PooledGuided, "", term("at night", 3, late)), false},
		"all blocks guided, and what is left out of others": {guided, ask(recipe.PooledGuided, "", term("at night", 3, constant)), true},
		"no direction, and what is left out of its blocks":  {own, ask(recipe.PooledGuided, ""), true},
		"a second direction":                                {rising, ask("", "", term("at night", 3, late), term("a frog", -2, constant)), false},
	} {
		if got := slices.Equal(x.a, x.b); got != x.same {
			t.Errorf("%s: the same is %t, want %t", name, got, x.same)
		}
	}
}

// An adapter is told among the parts as what it is, counted once.
func TestAdapterDescribed(t *testing.T) {
	folders := networks.WriteCosmos(t, t.TempDir())
	p, d, err := engine.DescribePublished(openFiles(t, folders...), nil)
	if err != nil || d == nil || len(d.Presets) == 0 {
		t.Fatal(d, err)
	}
	last := p.Parts[len(p.Parts)-1]
	if last.Role != "adapter" || last.Title != "pooled adapter" || last.DiskBytes != 2*(96*12+96+96*96+96+2*96) || !strings.Contains(last.Files[0], "adapter/") {
		t.Errorf("%+v", last)
	}
	without := folders[:len(folders)-networks.CosmosAdapted]
	plain, d, err := engine.DescribePublished(openFiles(t, without...), nil)
	if err != nil || len(d.Presets) != 0 {
		t.Fatal(d, err)
	}
	for i, x := range plain.Parts {
		if x.Role == "transformer" {
			for _, y := range p.Parts {
				if y.Role == x.Role && (y.DiskBytes != x.DiskBytes || y.DeviceBytes <= x.DeviceBytes) {
					t.Errorf("part %d: %+v, without the adapter %+v", i, y, x)
				}
			}
		}
	}
}

// A picture is made with the sampler that the plan names, and so is the next.
func TestSamplersOfAPlan(t *testing.T) {
	folders := networks.WriteCosmos(t, t.TempDir())
	found := openFiles(t, folders[:len(folders)-networks.CosmosAdapted]...)
	euler := drawing(t, found)(engine.Request{CFG: 1})
	for sampler, steps := range map[string]string{"ab2": `{"kind":"edm","sampler":"ab2"}`, "unipc": `{"kind":"flow","list":"unipc","sampler":"unipc"}`} {
		found.Schedule = []byte(steps)
		draw := drawing(t, found)
		first := draw(engine.Request{CFG: 1, Steps: 3})
		if !slices.Equal(first, draw(engine.Request{CFG: 1, Steps: 3})) {
			t.Errorf("%s: the second picture is another one", sampler)
		}
		if one := draw(engine.Request{CFG: 1}); sampler == "ab2" && !slices.Equal(one, euler) || slices.Equal(one, first) {
			t.Errorf("%s: one step is not Euler's, or is as three", sampler)
		}
	}
}
