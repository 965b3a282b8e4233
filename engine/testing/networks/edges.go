package networks

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/vae"
	"undertone/guidance"
)

// Edges tests what the engine keeps count of by itself, whatever the machine: the
// last bits, rows, words and values, and what could be mistaken for one another.
func Edges(t *testing.T, be op.Backend) {
	t.Run("Seeds", func(t *testing.T) { seeds(t, be) })
	t.Run("Directions", func(t *testing.T) { directions(t, be) })
	t.Run("Rows", func(t *testing.T) { rows(t, be) })
	t.Run("Ablations", func(t *testing.T) { ablations(t, be) })
	t.Run("Pooled", func(t *testing.T) { pooledVectors(t, be) })
	t.Run("Adapter", func(t *testing.T) { adapter(t, be) })
	t.Run("Passes", func(t *testing.T) { passes(t, be) })
	t.Run("Endings", func(t *testing.T) { endings(t, be) })
	t.Run("Plans", func(t *testing.T) { plans(t, be) })
	t.Run("Limits", func(t *testing.T) { limits(t, be) })
}

// listener is a machine that keeps the tensors that the engine made, and what it
// last wrote to them and read of them, by their names.
type listener struct {
	op.Backend
	made        map[string]*op.Tensor
	wrote, read map[string][]float32
}

func (*listener) Close() {}

func (l *listener) Write(t *op.Tensor, data []float32) error {
	l.wrote[t.Storage.Name] = slices.Clone(data)
	return l.Backend.Write(t, data)
}

func (l *listener) Read(ctx context.Context, t *op.Tensor) ([]float32, error) {
	data, err := l.Backend.Read(ctx, t)
	l.read[t.Storage.Name] = slices.Clone(data)
	return data, err
}

func (l *listener) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := l.Backend.New(name, dt, rows, cols)
	l.made[name] = t
	return t, err
}

func listen(be op.Backend) *listener {
	return &listener{be, map[string]*op.Tensor{}, map[string][]float32{}, map[string][]float32{}}
}

// seeds starts from seeds that differ in one bit each: every bit must reach the
// noise, and the noise must be the documented generator's, which stays while the seed does.
func seeds(t *testing.T, be op.Backend) {
	l := listen(be)
	e := newFixture(t).load(l)
	pictures := map[string]uint32{}
	list := []uint32{0, math.MaxUint32, math.MaxUint32 - 1<<16, math.MaxUint32 - 1<<31}
	for bit := range 32 {
		list = append(list, 1<<bit)
	}
	for _, seed := range list {
		req := frog
		req.Seed, req.Steps = seed, 1
		r := picture(t, e, req)
		if r.Seed != seed || r.Parameters.Seed != seed {
			t.Errorf("seed %d is told as %d and %d", seed, r.Seed, r.Parameters.Seed)
		}
		if !slices.Equal(bits(l.wrote["noise"]), bits(sample.Noise(seed, 5, 4, 4))) {
			t.Errorf("seed %d: the picture does not start from its noise", seed)
		}
		key := fmt.Sprint(bits(r.Latent))
		if other, ok := pictures[key]; ok {
			t.Errorf("seeds %d and %d give one picture", seed, other)
		}
		pictures[key] = seed
	}
	delete(l.wrote, "noise")
	req := frog
	req.Seed, req.Steps = list[len(list)-1], 1
	if r := picture(t, e, req); l.wrote["noise"] != nil || pictures[fmt.Sprint(bits(r.Latent))] != req.Seed {
		t.Error("noise that is there is written again, or another picture made of it")
	}
}

// directions sums up to three directions of different signs, schedules and head
// weights in the obvious way: the vectors of single prompts are those of pictures
// without guidance, the weights are written out, and every block's sum is compared
// with what the engine hands to the machine.
func directions(t *testing.T, be op.Backend) {
	l := listen(be)
	e := newFixture(t).load(l)
	const blocks, hidden = 5, 48
	from := func(start int) guidance.Schedule { return guidance.Schedule{Kind: "step", Start: start} }
	window := guidance.Schedule{Kind: "window", Start: 1, End: 2}
	type direction struct {
		term    engine.Term
		weights []float64 // of blocks 0 … 4, then the head's
	}
	sharp := direction{engine.Term{Positive: "sharp", Negative: "plain", Weight: 2, Schedule: from(1)}, []float64{0, 2, 2, 2, 2, 0}}
	night := direction{engine.Term{Positive: "at night", Negative: "in day", Weight: -1.5, Head: 3, Schedule: from(0)}, []float64{-1.5, -1.5, -1.5, -1.5, -1.5, 3}}
	moon := direction{engine.Term{Positive: "moon", Weight: 3, Head: -2, Schedule: window}, []float64{0, 3, 3, 0, 0, -2}}
	weighted := map[string][]direction{
		"one": {night}, "two": {sharp, night}, "two, the other way": {night, sharp}, "three": {moon, sharp, night},
	}
	for _, steps := range []int{1, 3} {
		for cfg, branches := range map[float64]int{1: 1, 3: 2} {
			// A picture's rows are those of its steps: of each first the prompt's, then
			// with a scale the empty one's.
			yhat := func(e *engine.Engine, prompt string, terms ...engine.Term) []float32 {
				req := frog
				req.Prompt, req.Steps, req.CFG = prompt, steps, cfg
				picture(t, e, with(req, terms...))
				return l.wrote["yhat"]
			}
			alone := map[string][]float32{}
			for _, prompt := range []string{frog.Prompt, "", "sharp", "plain", "at night", "in day", "moon"} {
				alone[prompt] = yhat(e, prompt)
			}
			for name, dirs := range weighted {
				var terms []engine.Term
				for _, d := range dirs {
					terms = append(terms, d.term)
				}
				got := yhat(newFixture(t).load(l), frog.Prompt, terms...) // which has met none of the prompts
				for row := range steps * branches {
					prompt := []string{frog.Prompt, ""}[row%branches]
					at := row / branches * branches * (blocks + 1) * hidden // of the step's first row; all blocks are equal there
					for b := range blocks + 1 {
						want := make([]float32, hidden)
						for i := range want {
							sum := float64(alone[prompt][at+i])
							for _, d := range dirs {
								sum += d.weights[b] * (float64(alone[d.term.Positive][at+i]) - float64(alone[d.term.Negative][at+i]))
							}
							want[i] = float32(sum)
						}
						if off := apart(got[(row*(blocks+1)+b)*hidden:][:hidden], want); !(off <= 1e-6) {
							t.Errorf("%s, %d steps, scale %g: row %d, block %d is off by %.3g", name, steps, cfg, row, b, off)
						}
					}
				}
			}
		}
	}
}

// rows compares what the two passes of classifier-free guidance see under each rule of
// what the unconditional one gets of a direction.
func rows(t *testing.T, be op.Backend) {
	const blocks, hidden, steps = 5, 48, 2
	yhat := func(cfg float64, rows guidance.Rows, terms ...engine.Term) []float32 {
		l := listen(be)
		req := with(frog, terms...)
		req.Steps, req.CFG, req.GuidanceRows = steps, cfg, rows
		picture(t, newFixture(t).load(l), req)
		return l.wrote["yhat"]
	}
	night := engine.Term{Positive: "at night", Negative: "in day", Weight: -1.5, Head: 3, Schedule: guidance.Schedule{Kind: "step", Start: 2}}
	plain := yhat(3, "")
	before := yhat(3, "", night)
	for word, factor := range map[guidance.Rows]float64{"": 1, guidance.RowsBoth: 1, guidance.RowsCond: 0, guidance.RowsSigned: -1} {
		got := yhat(3, word, night)
		for row := range 2 * steps {
			at := row * (blocks + 1) * hidden
			want := make([]float32, (blocks+1)*hidden)
			for i := range want {
				shift := float64(before[at+i]) - float64(plain[at+i])
				if row%2 == 1 {
					shift *= factor
				}
				want[i] = float32(float64(plain[at+i]) + shift)
			}
			if off := apart(got[at:][:len(want)], want); !(off <= 1e-6) {
				t.Errorf("%q: row %d is off by %.3g", word, row, off)
			}
			if same := slices.Equal(bits(got[at:][:len(want)]), bits(before[at:][:len(want)])); same != (row%2 == 0 || factor == 1) {
				t.Errorf("%q: row %d is that of the default: %t", word, row, same)
			}
		}
		// A single pass is always guided.
		if !slices.Equal(bits(yhat(1, word, night)), bits(yhat(1, "", night))) {
			t.Errorf("%q: without a second pass it changes something", word)
		}
	}
}

// pooledVectors compares the vector that a model takes of its text encoder with the
// final state at the end of the text: as it is, and projected where the token states
// are those before the last layer.
func pooledVectors(t *testing.T, be op.Backend) {
	const width, end = 24, 6 // start, five words, end
	read := func(l *listener, name string) []float32 {
		data, err := be.Read(background(), l.made[name])
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	plain := listen(be)
	picture(t, newFixture(t).load(plain), frog)
	states := read(plain, "tokens")
	at := states[end*width : (end+1)*width]
	if got := read(plain, "pooled vector"); !slices.Equal(got, at) {
		t.Errorf("the pooled vector is %v, the state at the end %v", got, at)
	}

	f := newFixture(t)
	f.text["penultimate"], f.text["projection_dim"] = true, width
	double := make([]float32, width*width) // twice each channel, in the place before it
	for i := range width {
		double[i*width+(i+1)%width] = 2
	}
	f.tensors["text"]["text_projection.weight"] = &tensor{[]int{width, width}, double}
	projected := listen(be)
	picture(t, f.load(projected), frog)
	for i, v := range read(projected, "pooled vector") {
		if want := float64(2 * at[(i+1)%width]); math.Abs(float64(v)-want) > 1e-5*math.Abs(want) {
			t.Errorf("channel %d of the projected vector is %g, want %g", i, v, want)
		}
	}
	if off := apart(read(projected, "tokens"), states); off < 0.01 {
		t.Errorf("states before the last layer are those behind it, but for %g", off)
	}
}

// passes makes pictures and compares their latents with those of a loop over single
// passes from the same noise, written out here: one of 33 × 33 tokens, whose rows,
// columns and positions are beyond those of any picture that is shipped, and a wide and
// a high one, which come out otherwise where rows are taken for columns. The pixels of
// these are those of the latent.
func passes(t *testing.T, be op.Backend) {
	l := listen(be)
	f := newFixture(t)
	f.sizes = append(f.sizes, recipe.Square(264), recipe.Size{Width: 16, Height: 40})
	e := f.load(l)
	const channels, shift = 5, 1.5
	picture(t, e, frog)
	states, err := be.Read(background(), l.made["tokens"]) // of the last prompt, which stays the same
	if err != nil {
		t.Fatal(err)
	}
	const width, end = 24, 6 // of the states; start, five words, end
	for size, steps := range map[recipe.Size]int{recipe.Square(264): 1, {Width: 24, Height: 16}: 3, {Width: 16, Height: 40}: 3} {
		req := frog
		req.Steps, req.Size = steps, size
		r := picture(t, e, req)
		if r.Image.W != size.Width || r.Image.H != size.Height || len(r.Image.RGBA) != 4*size.Width*size.Height {
			t.Errorf("size %v: a picture of %d × %d with %d bytes", size, r.Image.W, r.Image.H, len(r.Image.RGBA))
		}
		h, w := size.Height/4, size.Width/4 // of the latent
		tokens := func(z []float32) []float32 { return tokensOf(z, channels, h, w) }
		time := func(k int) float64 {
			t := 1 - float64(k)/float64(steps)
			return shift * t / (1 + (shift-1)*t)
		}
		x := tokens(sample.Noise(req.Seed, channels, h, w))
		for k := range steps {
			got, err := e.Forward(background(), engine.Pass{Rows: h / 2, Cols: w / 2, Img: x, Txt: states, Pooled: states[end*width : (end+1)*width], Time: time(k)})
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got.Velocity {
				x[i] += float32(time(k+1)-time(k)) * v
			}
		}
		near(t, "latent of "+size.String(), tokens(r.Latent), x, 1e-6)
		if h != w { // the large one takes seconds to draw
			drawn(t, be, r, h, w)
		}
	}
}

// drawn compares a picture with its latent [h·w, c] as a decoder of its own draws it.
func drawn(t *testing.T, be op.Backend, r *engine.Result, h, w int) {
	g := readGolden(t, "vae") // the fixture's
	var c vae.Config
	g.decode("config", &c)
	n := g.network(be, "weights.")
	m, err := vae.LoadTiny(c, n)
	n.must(t, err)
	b := &bench{golden: g, be: be}
	defer func() { be.Free(b.made...) }()
	z := b.fill("z", h*w, c.LatentChannels, r.Latent)
	for i, v := range b.run("picture", func(l *op.List) *op.Tensor { return m.Decode(l, z, h, w, nil) }) { // [H·W, 3]
		want := 255 * min(max(float64(v), 0), 1)
		if got := float64(r.Image.RGBA[i/3*4+i%3]); math.Abs(got-want) > 0.51 {
			t.Errorf("of %d × %d, pixel %d, channel %d is %g, want %g", r.Image.W, r.Image.H, i/3, i%3, got, want)
			return
		}
	}
}

// endings asks for prompts that differ at their very end alone. White space counts
// for nothing, so a prompt behind any amount of it is that prompt, to the bit.
func endings(t *testing.T, be op.Backend) {
	e := newFixture(t).load(lent{be})
	toward := func(positive, negative string) engine.Request {
		return with(frog, engine.Term{Positive: positive, Negative: negative, Weight: 2, Schedule: guidance.Schedule{Kind: "constant"}})
	}
	ask := func(prompt string) engine.Request {
		req := frog
		req.Prompt = prompt
		return req
	}
	cat, moon := picture(t, e, ask("cat")), picture(t, e, ask("moon"))
	toCat, toMoon := picture(t, e, toward("cat", "sun")), picture(t, e, toward("moon", "sun"))
	fromCat, fromMoon := picture(t, e, toward("sun", "cat")), picture(t, e, toward("sun", "moon"))
	for _, n := range []int{31, 39, 40, 41, 64, 77, 128, 255, 256, 257, 1024, 4092} {
		far := strings.Repeat(" ", n)
		for what, pair := range map[string][2]*engine.Result{
			"prompts":       {picture(t, e, ask(far+"cat")), picture(t, e, ask(far+"moon"))},
			"positive ends": {picture(t, e, toward(far+"cat", "sun")), picture(t, e, toward(far+"moon", "sun"))},
			"negative ends": {picture(t, e, toward("sun", far+"cat")), picture(t, e, toward("sun", far+"moon"))},
		} {
			want := map[string][2]*engine.Result{"prompts": {cat, moon}, "positive ends": {toCat, toMoon}, "negative ends": {fromCat, fromMoon}}[what]
			if !same(pair[0], want[0]) || !same(pair[1], want[1]) {
				t.Errorf("%s that differ from byte %d on are taken for others", what, n)
			}
		}
	}
	// The model reads 9 tokens: seven words between start and end.
	six := strings.Repeat("red ", 6)
	last := picture(t, e, ask(six+"cat"))
	if same(last, picture(t, e, ask(six+"moon"))) {
		t.Error("the last word that fits makes no difference")
	}
	if same(last, picture(t, e, ask(six))) {
		t.Error("the last word that fits is not read")
	}
	if beyond := picture(t, e, ask(six+"cat moon")); !same(last, beyond) || len(beyond.Notices) != 1 || len(last.Notices) != 0 {
		t.Errorf("a word too many: notices %q, without it %q", beyond.Notices, last.Notices)
	}
}

// plans asks for pictures whose programs and tables could be mistaken for one
// another's, in turn: each must be what an engine makes that was asked for nothing else.
func plans(t *testing.T, be op.Backend) {
	e := newFixture(t).load(lent{be})
	ask := func(change func(r *engine.Request)) engine.Request {
		r := with(frog, term(1, 0.5, 1))
		change(&r)
		return r
	}
	requests := []engine.Request{
		ask(func(r *engine.Request) { r.Steps = 4 }),                            // four rows of modulation, one to a step
		ask(func(r *engine.Request) { r.Steps, r.CFG = 2, 3 }),                  // four rows, two to a step
		ask(func(r *engine.Request) { r.Steps, r.CFG = 2, 3.5 }),                // another scale
		ask(func(r *engine.Request) { r.Steps, r.CFG = 4, 0 }),                  // one more
		ask(func(r *engine.Request) { r.Steps, r.Size = 4, recipe.Square(24) }), // another size
		ask(func(r *engine.Request) { r.Steps, r.Size.Width = 4, 24 }),          // as high as one and as wide as another
		ask(func(r *engine.Request) { r.Steps, r.Prompt = 4, "" }),              // another prompt
	}
	want := make([]*engine.Result, len(requests))
	for i, r := range requests {
		want[i] = picture(t, newFixture(t).load(lent{be}), r)
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6}, {1, 0, 5, 1, 2, 1, 4, 5, 0, 3, 6, 0}} {
		for n, i := range order {
			if !same(want[i], picture(t, e, requests[i])) {
				t.Errorf("%v: picture %d is not that of an engine of its own", order, n)
			}
		}
	}
}

// limits asks for the last value that is possible and for the one after it.
func limits(t *testing.T, be op.Backend) {
	e := newFixture(t).load(lent{be})
	after := math.Nextafter
	bulk := func(n int) []engine.Term { return slices.Repeat([]engine.Term{term(0.5, 0, 1)}, n) }
	for name, c := range map[string]struct {
		code     fault.Code
		last, no func(r *engine.Request)
	}{
		"prompt": {fault.PromptTooLong,
			func(r *engine.Request) { r.Prompt = strings.Repeat("x", 4096) }, func(r *engine.Request) { r.Prompt = strings.Repeat("x", 4097) }},
		"prompt of wide letters": {fault.PromptTooLong,
			func(r *engine.Request) { r.Prompt = strings.Repeat("日", 1365) + "x" }, func(r *engine.Request) { r.Prompt = strings.Repeat("日", 1365) + "xy" }},
		"direction": {fault.PromptTooLong,
			func(r *engine.Request) { r.Guidance = []engine.Term{{Negative: strings.Repeat("x", 4096), Weight: 1}} },
			func(r *engine.Request) { r.Guidance = []engine.Term{{Negative: strings.Repeat("x", 4097), Weight: 1}} }},
		"fewest steps": {fault.StepsRange, func(r *engine.Request) { r.Steps = 1 }, func(r *engine.Request) { r.Steps = 0 }},
		"most steps":   {fault.StepsRange, func(r *engine.Request) { r.Steps = 12 }, func(r *engine.Request) { r.Steps = 13 }},
		"least scale":  {fault.CFGRange, func(r *engine.Request) { r.CFG = 0 }, func(r *engine.Request) { r.CFG = after(0, -1) }},
		"most scale":   {fault.CFGRange, func(r *engine.Request) { r.CFG = 30 }, func(r *engine.Request) { r.CFG = after(30, 31) }},
		"directions":   {fault.GuidanceInvalid, func(r *engine.Request) { r.Guidance = bulk(8) }, func(r *engine.Request) { r.Guidance = bulk(9) }},
		"weight": {fault.GuidanceInvalid,
			func(r *engine.Request) { *r = with(*r, term(20, 0, 1)) }, func(r *engine.Request) { *r = with(*r, term(after(20, 21), 0, 1)) }},
		"negative weight": {fault.GuidanceInvalid,
			func(r *engine.Request) { *r = with(*r, term(-20, 0, 1)) }, func(r *engine.Request) { *r = with(*r, term(after(-20, -21), 0, 1)) }},
		"head": {fault.GuidanceInvalid,
			func(r *engine.Request) { *r = with(*r, term(1, 20, 1)) }, func(r *engine.Request) { *r = with(*r, term(1, after(20, 21), 1)) }},
		"start": {fault.GuidanceInvalid, func(r *engine.Request) { *r = with(*r, term(1, 0, 4)) }, func(r *engine.Request) { *r = with(*r, term(1, 0, 5)) }},
	} {
		req := frog
		req.Steps = 1
		c.last(&req)
		if _, err := e.Generate(background(), req, nil); err != nil {
			t.Errorf("%s: the last that is possible gives %v", name, err)
		}
		c.no(&req)
		if _, err := e.Generate(background(), req, nil); !fault.Is(err, c.code) {
			t.Errorf("%s: the first that is not possible gives %v, want %s", name, err, c.code)
		}
	}
}
