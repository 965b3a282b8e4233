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
	"undertone/engine/weights"
	"undertone/guidance"
)

// requests asks for what cannot be: each is refused with the value and the limit.
func requests(t *testing.T, e *engine.Engine) {
	nan := math.NaN()
	many := make([]engine.Term, recipe.MaxTerms+1)
	for name, c := range map[string]struct {
		change func(r *engine.Request)
		code   fault.Code
		says   string
	}{
		"long":       {func(r *engine.Request) { r.Prompt = strings.Repeat("x", 1<<20) }, fault.PromptTooLong, "1048576"},
		"binary":     {func(r *engine.Request) { r.Prompt = "\xff\x00" }, fault.PromptNotText, "UTF-8"},
		"no steps":   {func(r *engine.Request) { r.Steps = 0 }, fault.StepsRange, "12"},
		"steps":      {func(r *engine.Request) { r.Steps = 13 }, fault.StepsRange, "12"},
		"size":       {func(r *engine.Request) { r.Size = recipe.Square(17) }, fault.SizeUnsupported, "size 17, this model makes [16 24 24x16]"},
		"width":      {func(r *engine.Request) { r.Size.Width = 25 }, fault.SizeUnsupported, "size 25x16, this model makes [16 24 24x16]"},
		"height":     {func(r *engine.Request) { r.Size = recipe.Size{Width: 24, Height: 17} }, fault.SizeUnsupported, "size 24x17,"},
		"turned":     {func(r *engine.Request) { r.Size = recipe.Size{Width: 16, Height: 24} }, fault.SizeUnsupported, "size 16x24,"},
		"no size":    {func(r *engine.Request) { r.Size = recipe.Size{} }, fault.SizeUnsupported, "size 0,"},
		"cfg":        {func(r *engine.Request) { r.CFG = 31 }, fault.CFGRange, "30"},
		"cfg NaN":    {func(r *engine.Request) { r.CFG = nan }, fault.CFGRange, "NaN"},
		"weight":     {func(r *engine.Request) { *r = with(*r, term(1e6, 0, 0)) }, fault.GuidanceInvalid, "1e+06"},
		"weight NaN": {func(r *engine.Request) { *r = with(*r, term(nan, 0, 0)) }, fault.GuidanceInvalid, "NaN"},
		"head":       {func(r *engine.Request) { *r = with(*r, term(0, math.Inf(-1), 0)) }, fault.GuidanceInvalid, "-Inf"},
		"start":      {func(r *engine.Request) { *r = with(*r, term(1, 0, -1)) }, fault.GuidanceInvalid, "-1"},
		"kind": {func(r *engine.Request) {
			r.Guidance = []engine.Term{{Weight: 1, Schedule: guidance.Schedule{Kind: "wavy"}}}
		}, fault.GuidanceInvalid, "wavy"},
		"terms": {func(r *engine.Request) { r.Guidance = many }, fault.GuidanceInvalid, "9"},
		"direction": {func(r *engine.Request) {
			r.Guidance = []engine.Term{{Positive: "\x01", Schedule: guidance.Schedule{Kind: "constant"}}}
		}, fault.PromptNotText, "U+0001"},
	} {
		req := frog
		c.change(&req)
		_, err := e.Generate(background(), req, nil)
		if !fault.Is(err, c.code) {
			t.Errorf("%s: %v, want %s", name, err, c.code)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q does not name %s", name, err, c.says)
		}
	}
	odd := frog
	odd.Prompt = "a wizard frog, wizard " + strings.Repeat("moon ", 20)
	r := picture(t, e, odd)
	if all := strings.Join(r.Notices, "\n"); len(r.Notices) != 2 || !strings.Contains(all, "wizard") || !strings.Contains(all, "9 tokens") {
		t.Errorf("notices %q, wanted the unknown word and the length of 9", r.Notices)
	}
}

// stopping cancels, calls twice and closes.
func stopping(t *testing.T, e *engine.Engine) {
	want := picture(t, e, frog)
	ctx, cancel := context.WithCancel(background())
	req := frog
	req.Steps = 12
	n := 0
	_, err := e.Generate(ctx, req, func(s engine.StepEvent) {
		if n++; n == 2 {
			if _, err := e.Generate(background(), frog, nil); !fault.Is(err, fault.Busy) {
				t.Errorf("a second picture meanwhile: %v", err)
			}
			cancel()
		}
	})
	if !fault.Is(err, fault.Aborted) || n != 2 {
		t.Errorf("stopped after step 2: %v after %d events", err, n)
	}
	req.Prompt = "the cat" // whose text is not encoded yet
	if _, err := e.Generate(ctx, req, func(engine.StepEvent) { t.Error("a step was made") }); !fault.Is(err, fault.Aborted) {
		t.Errorf("stopped before it began: %v", err)
	}
	if !same(want, picture(t, e, frog)) {
		t.Error("another picture after stopping")
	}
	e.Close()
	e.Close()
	if _, err := e.Generate(background(), frog, nil); !fault.Is(err, fault.Closed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := e.Forward(background(), engine.Pass{}); !fault.Is(err, fault.Closed) {
		t.Errorf("after Close: %v", err)
	}
}

// overflow makes a model whose velocities are out of float32's range.
func overflow(t *testing.T, be op.Backend) {
	f := newFixture(t)
	for i := range f.tensors["dit"]["final_layer.linear.weight"].data {
		f.tensors["dit"]["final_layer.linear.weight"].data[i] *= 1e38
	}
	if _, err := f.load(be).Generate(background(), frog, nil); !fault.Is(err, fault.NotFinite) {
		t.Errorf("%v, want %s", err, fault.NotFinite)
	}
}

// models bends the model and wants the fault that names what is wrong.
func models(t *testing.T, be op.Backend) {
	for name, c := range map[string]struct {
		bend func(f *fixture)
		code fault.Code
		says string
	}{
		"missing":    {func(f *fixture) { delete(f.tensors["dit"], "img_in.bias") }, fault.WeightsMissing, "img_in.bias"},
		"shape":      {func(f *fixture) { f.tensors["vae"]["decoder.layers.1.bias"].shape = []int{3, 4} }, fault.WeightsMissing, "[12]"},
		"NaN":        {func(f *fixture) { f.tensors["dit"]["single_blocks.1.linear2.weight"].data[77] = float32(math.NaN()) }, fault.WeightsNotFinite, "single_blocks.1.linear2.weight"},
		"infinite":   {func(f *fixture) { f.tensors["text"]["text_model.final_layer_norm.bias"].data[3] = float32(math.Inf(1)) }, fault.WeightsNotFinite, "final_layer_norm.bias"},
		"heads":      {func(f *fixture) { f.dit["num_heads"] = 5 }, fault.ModelUnsupported, "48"},
		"axes":       {func(f *fixture) { f.dit["axes_dim"] = []int{2, 4, 8} }, fault.ModelUnsupported, "14"},
		"family":     {func(f *fixture) { f.family = "sdxl" }, fault.ModelUnsupported, "sdxl"},
		"activation": {func(f *fixture) { f.dit["activation"] = "swish" }, fault.ModelUnsupported, "swish"},
		"context": {func(f *fixture) {
			f.dit["context_in_dim"] = 30
			f.tensors["dit"]["txt_in.weight"] = &tensor{[]int{48, 30}, wave(48*30, 0)}
		}, fault.ModelUnsupported, "30"},
		"vocabulary": {func(f *fixture) {
			f.words = slices.Concat(f.words, strings.Fields("w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20"))
		}, fault.TokenizerInvalid, "the text encoder has rows 0 to"},
		"size":   {func(f *fixture) { f.sizes = append(f.sizes, recipe.Square(20)) }, fault.ModelUnsupported, "size 20, "},
		"width":  {func(f *fixture) { f.sizes = append(f.sizes, recipe.Size{Width: 20, Height: 16}) }, fault.ModelUnsupported, "size 20x16, "},
		"height": {func(f *fixture) { f.sizes = append(f.sizes, recipe.Size{Width: 16, Height: 17}) }, fault.ModelUnsupported, "size 16x17, the sides of this model's pictures must be multiples of 8"},
		"key":    {func(f *fixture) { f.dit["heads"] = 4 }, fault.ManifestInvalid, "heads"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c.bend(f)
			_, err := engine.Load(background(), lent{be}, f.bundle(), engine.LoadOptions{})
			if !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %s naming %s", err, c.code, c.says)
			}
		})
	}
	for role, name := range map[string]string{"dit": "dit.safetensors", "text": "text.safetensors", "vae": "vae.safetensors", "tokenizer": "tokenizer.json"} {
		t.Run("another byte in "+role, func(t *testing.T) { anotherByte(t, be, name) })
	}
	t.Run("stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(background())
		b := newFixture(t).bundle()
		uploads := 0
		_, err := engine.Load(ctx, lent{be}, b, engine.LoadOptions{Progress: func(p engine.Progress) {
			if p.Stage == "upload" {
				if uploads++; uploads == 5 {
					cancel()
				}
			}
		}})
		if !fault.Is(err, fault.Aborted) || uploads > 6 {
			t.Errorf("%v after %d uploads", err, uploads)
		}
	})
}

// anotherByte changes one byte of a file after its manifest was written: unless its
// source vouches for it, loading must find that, wherever the byte is.
func anotherByte(t *testing.T, be op.Backend, name string) {
	files := newFixture(t).files()
	for _, at := range []int{0, len(files[name]) / 2, len(files[name]) - 1} {
		files[name][at] ^= 1
		b, err := weights.LoadBundle(background(), files, "model.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Load(background(), lent{be}, b, engine.LoadOptions{}); !fault.Is(err, fault.WeightsHash) {
			t.Errorf("byte %d of %d: %v, want %s", at, len(files[name]), err, fault.WeightsHash)
		}
		if _, err := engine.Load(background(), lent{be}, b, engine.LoadOptions{SourceVerifies: true}); fault.Is(err, fault.WeightsHash) {
			t.Errorf("byte %d of %d is hashed although the source has done that", at, len(files[name]))
		}
		files[name][at] ^= 1
	}
}
