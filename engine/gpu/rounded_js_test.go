package gpu

import (
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// TestRoundedPictures measures how far the pictures of the shipped model are from those of
// f32 where operands are rounded, and what its judge, in f32, says of both; docs/speed/rounding.md
// holds the table. UNDERTONE_PICTURES says how many pictures to make; without it there are
// none, for they take a software adapter minutes.
func TestRoundedPictures(t *testing.T) {
	count, _ := strconv.Atoi(os.Getenv("UNDERTONE_PICTURES"))
	const folder = "../../build/Q8_0/sprites"
	if _, err := os.Stat(folder); count == 0 || err != nil {
		t.Skip("set UNDERTONE_PICTURES, after make model")
	}
	b, err := weights.LoadBundle(t.Context(), weights.Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	asked := requests(&b.Manifest, count)
	exact := open(t, Options{Matrices: true})
	judge := load(t, exact, b)
	want := draw(t, judge, judge, asked)
	for _, path := range []struct {
		bits    int
		variant string
		kernel  string  // that it is made with, or a library of it
		least   float64 // dB
		runs    bool
	}{
		{16, "f16", " f16\x00f16", 40, exact.Caps().F16},
		{8, "int8", "matmul_int8", 30, exact.Caps().Dot4},
		{16, "matrices 32×32", "matmul_matrices", 40, len(exact.Caps().Matrices) > 0},
	} {
		if !path.runs {
			t.Logf("%s: the device cannot", path.variant)
			continue
		}
		d := open(t, Options{Matrices: true})
		d.Round(path.bits)
		d.Prefer(path.variant)
		got := draw(t, load(t, d, b), judge, asked)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(d.pipelines.index)), func(key string) bool { return strings.Contains(key, path.kernel) }) {
			t.Fatalf("%s: no kernel with %s was compiled", path.variant, path.kernel)
		}
		var db []float64
		for i := range want {
			db = append(db, psnr(got[i].rgba, want[i].rgba))
		}
		slices.Sort(db)
		t.Logf("%s: %d pictures on %s, worst %.1f dB, median %.1f dB", path.variant, len(db), d.Info().Adapter, db[0], db[len(db)/2])
		if db[0] < path.least {
			t.Errorf("%s: a picture is %.1f dB from that of f32, want at least %g", path.variant, db[0], path.least)
		}
		for _, a := range b.Manifest.Judge.Attributes {
			if !a.Judged() {
				continue
			}
			agreed, most := 0, 0.0
			for i := range want {
				g, w := got[i].says[a.Name], want[i].says[a.Name]
				if largest(g) == largest(w) {
					agreed++
				}
				for v := range w {
					most = max(most, math.Abs(g[v]-w[v]))
				}
			}
			rounded, n := told(got, a)
			plain, _ := told(want, a)
			t.Logf("| %s | %s | %d of %d | %.4f | %d | %.2f %% | %.2f %% |", path.variant, a.Name, agreed, len(want), most, n, 100*rounded, 100*plain)
			if agreed < len(want) {
				t.Errorf("%s: of %d pictures the judge finds another %s", path.variant, len(want)-agreed, a.Name)
			}
		}
	}
}

// requests have the model's own examples, and then sentences of its words, each with another
// seed, and every second with one of the model's directions at its own weight.
func requests(m *weights.Manifest, count int) (out []engine.Request) {
	for i := range count {
		r := engine.Request{Prompt: caption(m, i), Seed: uint32(1 + i), Steps: m.Defaults.Steps, Size: m.Defaults.Size, CFG: m.Defaults.CFG}
		if i%2 == 1 && len(m.Presets) > 0 {
			term, err := m.Presets[i/2%len(m.Presets)].Term()
			if err != nil {
				panic(err)
			}
			r.Guidance = []engine.Term{term}
		}
		out = append(out, r)
	}
	return out
}

func caption(m *weights.Manifest, i int) string {
	if i < len(m.Examples) {
		return m.Examples[i]
	}
	u := m.Understands
	object := u.Objects[i%len(u.Objects)]
	s := "a " + u.Colours[i%len(u.Colours)] + " " + object
	if slices.Contains(u.Uncoloured, object) {
		s = "a " + object
	}
	s += " " + u.Places[i%len(u.Places)]
	if style := i % (1 + len(u.Styles)); style > 0 {
		s += ", " + u.Styles[style-1]
	}
	return s
}

func load(t *testing.T, d *Device, b *weights.Bundle) *engine.Engine {
	t.Helper()
	e, err := engine.Load(t.Context(), d, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// drawn is a picture, and what the judge says of it.
type drawn struct {
	prompt string
	rgba   []byte
	says   recipe.Judgement
}

// draw makes a picture of each request.
func draw(t *testing.T, e, judge *engine.Engine, requests []engine.Request) (out []drawn) {
	t.Helper()
	for _, r := range requests {
		made, err := e.Generate(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		says, err := judge.Judge(t.Context(), made.Image)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, drawn{r.Prompt, made.Image.RGBA, says})
	}
	return out
}

// told is how likely the judge finds what the prompts name of an attribute, on average, and
// how many name any of its values.
func told(pictures []drawn, a recipe.Aspect) (mean float64, n int) {
	sum := 0.0
	for _, p := range pictures {
		words := strings.FieldsFunc(p.prompt, func(r rune) bool { return r == ' ' || r == ',' })
		for i, v := range a.Values {
			if slices.Contains(words, v) {
				sum += p.says[a.Name][i]
				n++
			}
		}
	}
	return sum / float64(max(n, 1)), n
}

func largest(v []float64) int { return slices.Index(v, slices.Max(v)) }

// psnr of the colours, in dB; at most 99.
func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return min(99, 10*math.Log10(255*255/max(sum/float64(len(a)/4*3), 1e-9)))
}
