package networks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/vae"
	"undertone/engine/weights"
	"undertone/guidance"
)

// editing gives the fixture an encoder of random weights, which halves once after squares
// of two pixels.
func (f *fixture) editing() *fixture {
	f.reads = map[string]any{"latent_channels": 5, "unshuffle": 2, "mean": 0.5, "scaling_factor": 0.7, "shift_factor": 0.3,
		"stages": []map[string]int{{"channels": 6, "blocks": 1}, {"channels": 8, "blocks": 1}}}
	tensors, state := map[string]*tensor{}, uint32(7)
	conv := func(name string, in, out int) {
		draw := func(suffix string, n int, shape ...int) {
			x := make([]float32, n)
			for i := range x {
				state = state*1664525 + 1013904223
				x[i] = (float32(state>>8)/(1<<24) - 0.5) / 2
			}
			tensors["encoder.layers."+name+suffix] = &tensor{shape, x}
		}
		draw(".bias", out, out)
		draw(".weight", 9*in*out, out, in, 3, 3)
	}
	conv("1", 12, 6)
	conv("3", 6, 8)
	conv("5", 8, 5)
	for i := range 3 {
		conv(fmt.Sprintf("2.conv.%d", 2*i), 6, 6)
		conv(fmt.Sprintf("4.conv.%d", 2*i), 8, 8)
	}
	f.tensors["encoder"] = tensors
	return f
}

// drawing is an opaque picture of noise.
func drawing(w, h int, state uint32) *recipe.Reference {
	r := &recipe.Reference{Width: w, Height: h}
	for i := range 4 * w * h {
		state = state*1664525 + 1013904223
		v := byte(state >> 24)
		if i%4 == 3 {
			v = 255
		}
		r.Pixels = append(r.Pixels, v)
	}
	return r
}

// night is an instruction with a reference.
func night(r *recipe.Reference) engine.Request {
	req := frog
	req.Reference = r
	return req
}

// opens counts how often the files of a model are opened.
type opens struct {
	weights.Memory
	count map[string]int
}

func (o opens) Open(ctx context.Context, name string) (op.Source, error) {
	o.count[name]++
	return o.Memory.Open(ctx, name)
}

// Edits tests reference pictures; refusals, which no machine has a part in, only where
// every says so.
func Edits(t *testing.T, be op.Backend, every bool) {
	t.Run("Passes", func(t *testing.T) { editedPasses(t, be) })
	t.Run("Optional", func(t *testing.T) { optionalEncoder(t, be) })
	t.Run("Guidance", func(t *testing.T) { editedGuidance(t, be) })
	if every {
		t.Run("Refusals", func(t *testing.T) { editRefusals(t, be) })
	}
}

// editedPasses compares edits, with and without classifier-free guidance, with a loop over
// single passes that see the tokens of the reference's latent, written out here.
func editedPasses(t *testing.T, be op.Backend) {
	l := listen(be)
	f := newFixture(t).editing()
	e := f.load(l)
	const channels, shift, width, steps = 5, 1.5, 24, 2
	size := recipe.Size{Width: 24, Height: 16}
	h, w := size.Height/4, size.Width/4
	states := func(prompt string, end int) (tokens, pooled []float32) {
		req := frog
		req.Prompt = prompt
		picture(t, e, req)
		tokens, err := be.Read(background(), l.made["tokens"])
		if err != nil {
			t.Fatal(err)
		}
		return tokens, tokens[end*width : (end+1)*width]
	}
	empty, emptyPooled := states("", 1)
	words, pooled := states(frog.Prompt, 6)
	reference := engine.Reference{Rows: h / 2, Cols: w / 2, Img: encoded(t, be, f, drawing(24, 16, 3), h, w)}
	latent, err := e.Encode(background(), &recipe.Image{W: 24, H: 16, RGBA: drawing(24, 16, 3).Pixels})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "latent of a picture", latent, reference.Img, 1e-5)
	time := func(k int) float64 {
		t := 1 - float64(k)/float64(steps)
		return shift * t / (1 + (shift-1)*t)
	}
	for _, cfg := range []float64{1, 2.5} {
		req := night(drawing(24, 16, 3))
		req.Size, req.Steps, req.CFG = size, steps, cfg
		x := tokensOf(sample.Noise(req.Seed, channels, h, w), channels, h, w)
		pass := func(k int, txt, pooled []float32) []float32 {
			got, err := e.Forward(background(), engine.Pass{Rows: h / 2, Cols: w / 2, Img: x, Reference: reference, Txt: txt, Pooled: pooled, Time: time(k)})
			if err != nil {
				t.Fatal(err)
			}
			return got.Velocity
		}
		for k := range steps {
			v := pass(k, words, pooled)
			if cfg != 1 {
				for i, u := range pass(k, empty, emptyPooled) {
					v[i] = u + float32(cfg)*(v[i]-u)
				}
			}
			for i, v := range v {
				x[i] += float32(time(k+1)-time(k)) * v
			}
		}
		r := picture(t, e, req)
		near(t, fmt.Sprintf("latent at a scale of %g", cfg), tokensOf(r.Latent, channels, h, w), x, 1e-5)
	}
}

// encoded is the latent of a picture as image tokens, by an encoder of its own.
func encoded(t *testing.T, be op.Backend, f *fixture, r *recipe.Reference, h, w int) []float32 {
	b := f.bundle()
	src, _, err := b.OpenFile(background(), "encoder")
	if err != nil {
		t.Fatal(err)
	}
	u, err := engine.NewUploader(background(), be, src)
	if err != nil {
		t.Fatal(err)
	}
	n := &networkWeights{Uploader: u}
	t.Cleanup(func() { be.Free(n.made...) })
	var c vae.TinyEncoderConfig
	component, _ := b.Of(weights.RoleEncoder)
	if err := weights.Decode(component.Config, "encoder", &c); err != nil {
		t.Fatal(err)
	}
	m, err := vae.LoadTinyEncoder(c, n)
	n.must(t, err)
	var pixels []float32
	for i, v := range r.Pixels {
		if i%4 < 3 {
			pixels = append(pixels, float32(v)/255)
		}
	}
	bench := &bench{golden: &golden{t: t}, be: be}
	defer func() { be.Free(bench.made...) }()
	x := bench.fill("pixels", r.Width*r.Height, 3, pixels)
	z := bench.run("latent", func(l *op.List) *op.Tensor { return m.Encode(l, x, r.Height, r.Width, nil) })
	return tokensOf(z, c.LatentChannels, h, w)
}

// tokensOf puts a latent [h·w, channels] into image tokens.
func tokensOf(z []float32, channels, h, w int) []float32 {
	planes := make([]float32, len(z)) // channels first, which is what packed takes
	for at := range h * w {
		for c := range channels {
			planes[c*h*w+at] = z[at*channels+c]
		}
	}
	return packed(planes, h, w)
}

// optionalEncoder wants that the encoder is opened for the first edit and never before;
// that an empty instruction gives the reference back without any work; and that pictures
// from words alone stay the same to the last bit.
func optionalEncoder(t *testing.T, be op.Backend) {
	files := opens{newFixture(t).editing().files(), map[string]int{}}
	b, err := weights.LoadBundle(background(), files, "model.json")
	if err != nil {
		t.Fatal(err)
	}
	describedEdits(t, b)
	l := listen(be)
	e, err := engine.Load(background(), l, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plain := picture(t, e, frog)
	ref := drawing(16, 16, 9)
	asIs := night(ref)
	asIs.Prompt = " \n"
	delete(l.wrote, "noise")
	if r := picture(t, e, asIs); !slices.Equal(r.Image.RGBA, ref.Pixels) || l.wrote["noise"] != nil {
		t.Error("an empty instruction does not give the reference back without a run")
	}
	if n := files.count["encoder.safetensors"]; n != 0 {
		t.Errorf("the encoder was opened %d times before an edit", n)
	}
	first := picture(t, e, night(ref))
	if again := picture(t, e, night(ref)); !same(first, again) || same(first, plain) {
		t.Error("the same edit twice is not the same picture, or is that without a reference")
	}
	if other := picture(t, e, night(drawing(16, 16, 10))); same(first, other) {
		t.Error("two references give the same picture")
	}
	if back := picture(t, e, night(ref)); !same(first, back) {
		t.Error("after another reference, the first gives another picture")
	}
	if again := picture(t, e, frog); !same(plain, again) {
		t.Error("after an edit, a picture from words alone is another")
	}
	if _, err := e.Encode(background(), plain.Image); err != nil {
		t.Error(err)
	}
	if back := picture(t, e, night(ref)); !same(first, back) {
		t.Error("after another picture was encoded, the same reference gives another picture")
	}
	if _, err := e.Encode(background(), &recipe.Image{W: 8, H: 8, RGBA: make([]byte, 4*8*8)}); !fault.Is(err, fault.SizeUnsupported) {
		t.Errorf("a picture of 8 × 8 pixels is encoded: %v", err)
	}
	if n := files.count["encoder.safetensors"]; n != 1 {
		t.Errorf("the encoder was opened %d times for several edits", n)
	}
	sum := sha256.Sum256(ref.Pixels)
	want := &recipe.Reference{Width: 16, Height: 16, SHA256: hex.EncodeToString(sum[:])}
	if !reflect.DeepEqual(first.Parameters.Reference, want) || plain.Parameters.Reference != nil {
		t.Errorf("the parameters have the references %+v and %+v, wanted %+v and none", first.Parameters.Reference, plain.Parameters.Reference, want)
	}
}

// describedEdits wants that a description counts what an edit takes beyond other pictures.
func describedEdits(t *testing.T, b *weights.Bundle) {
	d, err := engine.Describe(&b.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := engine.Describe(&newFixture(t).bundle().Manifest)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := b.File("encoder")
	if x := d.Edits; plain.Edits != nil || x == nil || x.Bytes != f.Bytes || d.Bytes != plain.Bytes || d.FLOPs != plain.FLOPs || x.FLOPs <= d.FLOPs || x.Memory <= d.Memory+f.Bytes {
		t.Errorf("edits are described as %+v beside %d bytes, %g FLOPs and %d bytes of memory, and %+v", d.Edits, d.Bytes, d.FLOPs, d.Memory, plain.Edits)
	}
}

// editedGuidance guides and probes edits.
func editedGuidance(t *testing.T, be op.Backend) {
	e := newFixture(t).editing().load(be)
	req := night(drawing(16, 16, 4))
	req.CFG = 2
	plain := picture(t, e, req)
	if none := picture(t, e, with(req, term(0, 0, 0))); !same(plain, none) {
		t.Error("a weight of 0 changes an edit")
	}
	guided := with(req, term(3, 0, 0))
	strong := picture(t, e, guided)
	guided.GuidanceRows = guidance.RowsCond
	if cond := picture(t, e, guided); same(plain, strong) || same(strong, cond) {
		t.Error("guidance, or its rows, change nothing of an edit")
	}
	req.Probe = &recipe.ProbeRequest{}
	seen := picture(t, e, req)
	if !same(plain, seen) || seen.Probe == nil {
		t.Fatal("looking on changes an edit")
	}
	p := seen.Probe
	if want := req.Steps * len(p.Blocks[1:]) * len(p.Words) * p.Rows * p.Cols; len(p.Attention) != want {
		t.Errorf("%d numbers of attention, wanted %d", len(p.Attention), want)
	}
	for i, v := range p.Attention {
		if !(v >= 0 && v < 1) {
			t.Fatalf("number %d of attention is %g", i, v)
		}
	}
}

func editRefusals(t *testing.T, be op.Backend) {
	able, unable := newFixture(t).editing().load(be), newFixture(t).load(be)
	short, large := drawing(16, 16, 1), &recipe.Reference{Width: 4097, Height: 1, Pixels: make([]byte, 4*4097)}
	short.Pixels = short.Pixels[1:]
	for _, c := range []struct {
		e    *engine.Engine
		r    *recipe.Reference
		code fault.Code
		word string
	}{
		{unable, drawing(16, 16, 1), fault.ReferenceRefused, "16 × 16"},
		{able, short, fault.RequestInvalid, "1023 bytes, wanted 1024"},
		{able, large, fault.RequestInvalid, "4097 × 1"},
		{able, &recipe.Reference{SHA256: strings.Repeat("0", 64)}, fault.RequestInvalid, "0 × 0"},
	} {
		if _, err := c.e.Generate(background(), night(c.r), nil); !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v, wanted %s with %q", err, c.code, c.word)
		}
	}
	for word, bend := range map[string]func(f *fixture){
		"encoder.layers.2.conv.4.bias": func(f *fixture) { delete(f.tensors["encoder"], "encoder.layers.2.conv.4.bias") },
		"5 channels at 1/8": func(f *fixture) {
			f.reads["unshuffle"] = 4
			f.tensors["encoder"]["encoder.layers.1.weight"] = &tensor{[]int{6, 48, 3, 3}, make([]float32, 6*48*9)}
		},
	} {
		f := newFixture(t).editing()
		bend(f)
		e := f.load(be)
		if _, err := e.Generate(background(), night(drawing(16, 16, 1)), nil); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v, wanted %q", err, word)
		}
		picture(t, e, frog) // which needs no encoder
	}
}
