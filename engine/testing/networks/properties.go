package networks

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// Engine tests what the engine promises whatever the weights, on a small model. Some
// promises concern each of a picture's allocations: every tests all, for machines that
// are quick with small pictures, otherwise a sample is tested.
func Engine(t *testing.T, be op.Backend, every bool) {
	e := newFixture(t).load(be)
	t.Run("Guidance", func(t *testing.T) { guided(t, e) })
	t.Run("Layers", func(t *testing.T) { layers(t, e) })
	t.Run("CFG", func(t *testing.T) { classifierFree(t, e, be) })
	t.Run("Memory", func(t *testing.T) { remembers(t, e) })
	t.Run("Steps", func(t *testing.T) { steps(t, e) })
	t.Run("Probe", func(t *testing.T) { probed(t, be) })
	t.Run("Requests", func(t *testing.T) { requests(t, e) })
	t.Run("Stopping", func(t *testing.T) { stopping(t, e) })
	t.Run("ShortOfMemory", func(t *testing.T) { shortOfMemory(t, be, every) })
	t.Run("NotNumbers", func(t *testing.T) { notNumbers(t, be) })
	t.Run("Overflow", func(t *testing.T) { overflow(t, be) })
	t.Run("SD3", func(t *testing.T) { sd3(t, be) })
	t.Run("Encoders", func(t *testing.T) { encoders(t, be) })
	t.Run("Schedules", func(t *testing.T) { schedules(t, be) })
	t.Run("Models", func(t *testing.T) { models(t, be) })
	t.Run("Edits", func(t *testing.T) { Edits(t, be, every) })
}

// Unchanged makes a picture again, and with a direction of weight 0: the bytes are the same.
func Unchanged(t *testing.T, be op.Backend) {
	e := newFixture(t).load(be)
	none := picture(t, e, frog)
	for name, r := range map[string]engine.Request{"the same request": frog, "weight 0": with(frog, term(0, 0, 0))} {
		if !same(none, picture(t, e, r)) {
			t.Errorf("%s gave another picture", name)
		}
	}
}

var frog = engine.Request{Prompt: "a red frog at night", Seed: 5, Steps: 2, Size: recipe.Square(16), CFG: 1}

// with adds directions to a request.
func with(r engine.Request, terms ...engine.Term) engine.Request {
	r.Guidance = terms
	return r
}

// term is a direction from plain to sharp.
func term(weight, head float64, start int) engine.Term {
	return engine.Term{Positive: "sharp", Negative: "plain", Weight: weight, Head: head, Schedule: guidance.Schedule{Kind: "step", Start: start}}
}

func bits(x []float32) []uint32 {
	out := make([]uint32, len(x))
	for i, v := range x {
		out[i] = math.Float32bits(v)
	}
	return out
}

func guided(t *testing.T, e *engine.Engine) {
	none := picture(t, e, frog)
	if !same(none, picture(t, e, frog)) {
		t.Error("the same request gave another picture")
	}
	for name, req := range map[string]engine.Request{
		"weight 0":                  with(frog, term(0, 0, 0)),
		"a table of 0":              with(frog, engine.Term{Positive: "sharp", Negative: "plain", Weight: 2, Schedule: guidance.Schedule{Kind: "table", Table: make([]float64, 5)}}),
		"p+ equal to p-":            with(frog, engine.Term{Positive: "moon", Negative: "moon", Weight: 3, Schedule: guidance.Schedule{Kind: "constant"}}),
		"two directions of 0":       with(frog, term(0, 0, 0), term(0, 0, 1)),
		"an empty list":             with(frog, []engine.Term{}...),
		"preview, which only looks": func() engine.Request { r := frog; r.Preview = true; return r }(),
	} {
		if !same(none, picture(t, e, req)) {
			t.Errorf("%s: not the bytes of no guidance", name)
		}
	}
	// picture listens to no steps: by now their speed is known.
	quick := frog
	quick.Steps = 1
	if r := picture(t, e, quick); len(r.Timings.StepsMs) != 1 || r.Timings.StepsMs[0] <= 0 {
		t.Errorf("one step took %v ms", r.Timings.StepsMs)
	}
	watched := 0
	r, err := e.Generate(context.Background(), frog, func(engine.StepEvent) { watched++ })
	if err != nil {
		t.Fatal(err)
	}
	if watched != frog.Steps || len(r.Timings.StepsMs) != frog.Steps {
		t.Errorf("%d events and %d times of %d steps that were listened to", watched, len(r.Timings.StepsMs), frog.Steps)
	}
	if !same(none, r) {
		t.Error("listening to the steps changed the picture")
	}
	pictures := map[string]*engine.Result{"none": none}
	for name, req := range map[string]engine.Request{
		"weight 1":            with(frog, term(1, 0, 1)),
		"weight 1.01":         with(frog, term(1.01, 0, 1)),
		"weight -1":           with(frog, term(-1, 0, 1)),
		"start 2":             with(frog, term(1, 0, 2)),
		"start 4":             with(frog, term(1, 0, 4)),
		"head alone":          with(frog, term(0, 1, 0)),
		"weight 1 and head":   with(frog, term(1, 1, 1)),
		"another direction":   with(frog, engine.Term{Positive: "moon", Negative: "sun", Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 1}}),
		"both directions":     with(frog, term(1, 0, 1), engine.Term{Positive: "moon", Negative: "sun", Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 1}}),
		"from the empty":      with(frog, engine.Term{Positive: "sharp", Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 1}}),
		"another seed":        {Prompt: frog.Prompt, Seed: 6, Steps: 2, Size: recipe.Square(16), CFG: 1},
		"another prompt":      {Prompt: "a blue frog at night", Seed: 5, Steps: 2, Size: recipe.Square(16), CFG: 1},
		"the empty prompt":    {Seed: 5, Steps: 2, Size: recipe.Square(16), CFG: 1},
		"another step number": {Prompt: frog.Prompt, Seed: 5, Steps: 3, Size: recipe.Square(16), CFG: 1},
	} {
		r := picture(t, e, req)
		for other, p := range pictures {
			if slices.Equal(bits(r.Latent), bits(p.Latent)) {
				t.Errorf("%q gave the latent of %q", name, other)
			}
		}
		pictures[name] = r
	}
	r = pictures["start 2"]
	if want := []float32{0, 0, 1, 1, 1}; len(r.Geometry) != 1 || !slices.Equal(r.Geometry[0].Weights, want) {
		t.Errorf("read-out %+v, want the weights %v", r.Geometry, want)
	}
	if g := r.Geometry[0]; !(g.NormY > 0 && g.NormDelta > 0 && g.AngleDegrees > 0 && g.AngleDegrees < 180) {
		t.Errorf("read-out %+v", g)
	}
}

// layers looks inside: a shift of block l's vector must leave everything before
// block l as it was and change block l; the head's must change the velocity alone.
func layers(t *testing.T, e *engine.Engine) {
	const hidden, double, single = 48, 2, 3
	pass := engine.Pass{Rows: 2, Cols: 3, Img: wave(6*20, 1), Txt: wave(9*24, 2), Pooled: wave(24, 3), Time: 0.6}
	forward := func(block int) *engine.Passed {
		in := pass
		if block >= 0 {
			in.Shift = make([]float32, (double+single+1)*hidden)
			copy(in.Shift[block*hidden:], wave(hidden, 4))
		}
		out, err := e.Forward(background(), in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plain := forward(-1)
	for block := range double + single + 1 {
		got := forward(block)
		if slices.Equal(bits(got.Velocity), bits(plain.Velocity)) {
			t.Errorf("a shift at %d does not reach the velocity", block)
		}
		for i, b := range got.Blocks {
			of := min(i/2, double) + max(i-2*double, 0) // two read-outs for each double block
			changed := b.RMS != plain.Blocks[i].RMS
			if of < block && changed {
				t.Errorf("a shift at %d changes %s before it", block, b.Name)
			}
			if of == block && !changed {
				t.Errorf("a shift at %d does not change %s", block, b.Name)
			}
		}
	}
	for name, bad := range map[string]engine.Pass{
		"img":    {Rows: 2, Cols: 3, Img: pass.Img[1:], Txt: pass.Txt, Pooled: pass.Pooled},
		"txt":    {Rows: 2, Cols: 3, Img: pass.Img, Txt: pass.Txt[1:], Pooled: pass.Pooled},
		"no txt": {Rows: 2, Cols: 3, Img: pass.Img, Pooled: pass.Pooled},
		"pooled": {Rows: 2, Cols: 3, Img: pass.Img, Txt: pass.Txt},
		"rows":   {Rows: -2, Cols: -3, Img: pass.Img, Txt: pass.Txt, Pooled: pass.Pooled},
		"shift":  {Rows: 2, Cols: 3, Img: pass.Img, Txt: pass.Txt, Pooled: pass.Pooled, Shift: pass.Img},
	} {
		if _, err := e.Forward(background(), bad); !fault.Is(err, fault.RequestInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wave makes numbers of about unit size without a random generator.
func wave(n, phase int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(1.4 * math.Sin(float64(i*i%97)*0.7+float64(phase)))
	}
	return out
}

func classifierFree(t *testing.T, e *engine.Engine, be op.Backend) {
	at := func(prompt string, cfg float64, terms ...engine.Term) *engine.Result {
		r := frog
		r.Prompt, r.CFG = prompt, cfg
		return picture(t, e, with(r, terms...))
	}
	cond, uncond := at(frog.Prompt, 1), at("", 1)
	if !same(at(frog.Prompt, 0), uncond) {
		t.Error("a scale of 0 is not the empty prompt")
	}
	if !same(at("", 4), uncond) {
		t.Error("a scale of 4 moves the empty prompt")
	}
	three := at(frog.Prompt, 3)
	if same(three, cond) || same(three, at(frog.Prompt, 3.5)) || !same(three, at(frog.Prompt, 3)) {
		t.Error("the scale does not decide the picture")
	}
	// The direction goes to both branches: at a scale of 0 only the unconditional
	// one is seen, and it must be guided too.
	if !same(at(frog.Prompt, 0, term(1, 0, 1)), at("", 1, term(1, 0, 1))) {
		t.Error("the unconditional branch is not guided like the conditional one")
	}

	f := newFixture(t)
	f.dit["guidance_embed"] = true
	embedded := f.load(be)
	two, four := frog, frog
	two.CFG, four.CFG = 2, 4
	a, b := picture(t, embedded, two), picture(t, embedded, four)
	if same(a, b) || !same(a, picture(t, embedded, two)) {
		t.Error("the embedded scale does not decide the picture")
	}
	if plain := picture(t, e, frog); a.Dispatches != plain.Dispatches {
		t.Errorf("an embedded scale takes %d dispatches per step, without %d: it is no second pass", a.Dispatches, plain.Dispatches)
	}
}

// remembers makes more prompts, sizes and scales than are kept.
func remembers(t *testing.T, e *engine.Engine) {
	first := picture(t, e, frog)
	prompt := frog
	prompt.Steps = 1
	for i := range 70 {
		prompt.Prompt = strings.Repeat("moon ", i%7) + strings.Repeat("sun ", i/7)
		picture(t, e, prompt)
	}
	big := frog
	big.Size = recipe.Square(24)
	if r := picture(t, e, big); r.Image.W != 24 || r.Image.H != 24 || len(r.Image.RGBA) != 4*24*24 || len(r.Latent) != 6*6*5 {
		t.Errorf("a picture of %d × %d with %d bytes", r.Image.W, r.Image.H, len(r.Image.RGBA))
	}
	prompt.CFG = 2
	picture(t, e, with(prompt, term(1, 0, 0), term(1, 0, 1), term(1, 0, 2)))
	if !same(first, picture(t, e, frog)) {
		t.Error("the first request gives another picture after many others")
	}
	// A prompt that was first met as a direction has no token states yet.
	prompt = frog
	prompt.Prompt = "green house"
	want := picture(t, e, prompt)
	met := with(frog, engine.Term{Positive: "green house", Negative: "day", Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}})
	for range 5 {
		prompt.Prompt += " ."
		picture(t, e, prompt)
	}
	picture(t, e, met)
	prompt.Prompt = "green house"
	if !same(want, picture(t, e, prompt)) {
		t.Error("a prompt gives another picture after it was a direction")
	}
}

func steps(t *testing.T, e *engine.Engine) {
	req := frog
	req.Steps, req.Preview = 4, true
	var events []engine.StepEvent
	r, err := e.Generate(background(), req, func(s engine.StepEvent) { events = append(events, s) })
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 4 || len(r.Timings.StepsMs) != 4 {
		t.Fatalf("%d events and %d times for 4 steps", len(events), len(r.Timings.StepsMs))
	}
	for i, s := range events {
		if s.Step != i+1 || s.Steps != 4 || s.Preview == nil || s.Preview.W != 4 || len(s.Preview.RGBA) != 4*4*4 {
			t.Errorf("event %d is %+v", i, s)
		}
	}
	// The last preview is the finished latent through the linear map.
	var c struct {
		Preview struct {
			Weight [][]float64
			Bias   []float64
		}
	}
	openGolden(t, "vae", nil).decode("config", &c)
	for p := range 16 {
		for ch := range 3 {
			v := c.Preview.Bias[ch]
			for k, w := range c.Preview.Weight[ch] {
				v += w * float64(r.Latent[p*5+k])
			}
			want := 255 * min(max(v, 0), 1)
			if got := float64(events[3].Preview.RGBA[4*p+ch]); math.Abs(got-want) > 0.51 {
				t.Errorf("preview pixel %d channel %d is %g, want %g", p, ch, got, want)
			}
		}
	}
	if r.Parameters.Prompt != req.Prompt || r.Parameters.Model != "fixture" || r.Parameters.Precision != "F32" || r.Seed != req.Seed || r.Dispatches < 10 {
		t.Errorf("parameters %+v", r.Parameters)
	}
	info := e.Info()
	if info.Blocks.Double != 2 || info.Blocks.Single != 3 || info.Backend == "" || info.Bytes < 1000 || info.MaxSteps != 12 {
		t.Errorf("info %+v", info)
	}
	// Many steps: the modulation of all of them is computed at once.
	req.Steps = 12
	r, err = e.Generate(context.Background(), req, func(engine.StepEvent) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Timings.StepsMs) != 12 {
		t.Errorf("%d steps, want 12", len(r.Timings.StepsMs))
	}
	// Whoever does not listen gets the same picture, with each step timed or, where
	// steps are known to be quick, all of them together.
	for range 2 {
		alone := picture(t, e, req)
		if n := len(alone.Timings.StepsMs); n != 12 && n != 1 {
			t.Errorf("%d times of 12 steps", n)
		}
		if !same(r, alone) {
			t.Error("nobody listening changed the picture")
		}
	}
}
