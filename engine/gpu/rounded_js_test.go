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
// f32 where operands are rounded, and what its judge says of both; docs/speed/rounding.md
// holds the table. UNDERTONE_PICTURES says how many pictures to make; without it there are
// none, for they take a software adapter minutes.
func TestRoundedPictures(t *testing.T) {
	count, _ := strconv.Atoi(os.Getenv("UNDERTONE_PICTURES"))
	const folder = "../../build/Q8_0/sprites"
	if _, err := os.Stat(folder); count == 0 || err != nil {
		t.Skip("set UNDERTONE_PICTURES, after make model")
	}
	exact := open(t, Options{})
	want := draw(t, exact, folder, count)
	for _, path := range []struct {
		bits    int
		variant string
		kernel  string  // that it is made with, or a library of it
		least   float64 // dB
		runs    bool
	}{{16, "f16", " f16\x00f16", 40, exact.Caps().F16}, {8, "int8", "matmul_int8", 30, exact.Caps().Dot4}} {
		if !path.runs {
			t.Logf("%s: the device cannot", path.variant)
			continue
		}
		d := open(t, Options{Bits: path.bits})
		d.Prefer(path.variant)
		got := draw(t, d, folder, count)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(d.pipelines.index)), func(key string) bool { return strings.Contains(key, path.kernel) }) {
			t.Fatalf("%s: no kernel with %s was compiled", path.variant, path.kernel)
		}
		var db []float64
		agreed, asked, changed := 0, 0, 0.0
		for i := range want {
			db = append(db, psnr(got[i].rgba, want[i].rgba))
			for name, w := range want[i].says {
				top, g := largest(w), got[i].says[name]
				asked++
				if largest(g) == top {
					agreed++
				}
				changed += math.Abs(g[top] - w[top])
			}
		}
		slices.Sort(db)
		t.Logf("| %s | %.1f | %.1f | %d of %d | %.4f | %.1f %% | %.1f %% |", path.variant, db[0], db[len(db)/2], agreed, asked,
			changed/float64(asked), 100*told(got), 100*told(want))
		if db[0] < path.least {
			t.Errorf("%s: a picture is %.1f dB from that of f32, want at least %g", path.variant, db[0], path.least)
		}
	}
}

// drawn is a picture, and what the judge says of it.
type drawn struct {
	prompt string
	rgba   []byte
	says   recipe.Judgement
	values map[string][]string // of what it says
}

// draw makes pictures of the model's own examples, in turn, each time with another seed.
func draw(t *testing.T, d *Device, folder string, count int) (out []drawn) {
	t.Helper()
	b, err := weights.LoadBundle(t.Context(), weights.Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Load(t.Context(), d, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	values := map[string][]string{}
	for _, a := range b.Judge.Attributes {
		values[a.Name] = a.Values
	}
	for i := range count {
		r := e.Defaults()
		r.Prompt, r.Seed = b.Examples[i%len(b.Examples)], uint32(1+i)
		made, err := e.Generate(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		says, err := e.Judge(t.Context(), made.Image)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, drawn{r.Prompt, made.Image.RGBA, says, values})
	}
	return out
}

// told is how likely the judge finds what the prompts name, on average: of each attribute
// that has a value among the prompt's words, that value.
func told(pictures []drawn) float64 {
	sum, n := 0.0, 0
	for _, p := range pictures {
		words := strings.Fields(p.prompt)
		for name, says := range p.says {
			for i, v := range p.values[name] {
				if slices.Contains(words, v) {
					sum += says[i]
					n++
				}
			}
		}
	}
	return sum / float64(n)
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
