package networks

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// The fixture's tokens, width, heads and blocks.
const (
	probeText   = 9
	probeWidth  = 48
	probeHeads  = 4
	probeBlocks = 5
)

// probed compares what a probe tells with what the picture's own steps compute,
// which a spy reads out of them, and checks that looking changes nothing.
func probed(t *testing.T, be op.Backend) {
	f := newFixture(t)
	spy := &spy{Backend: be, t: t}
	e := f.load(spy)
	if got := f.dit["num_heads"]; got != float64(probeHeads) {
		t.Fatalf("the fixture has %v heads", got)
	}
	for name, req := range map[string]engine.Request{
		"plain":  frog,
		"guided": with(frog, term(1.5, 0, 2), term(-0.5, 1, 0)),
		"larger": func() engine.Request { r := frog; r.Size, r.Steps = recipe.Square(24), 3; return r }(),
		"wide":   func() engine.Request { r := frog; r.Size.Width = 24; return with(r, term(1, 0, 1)) }(),
		"CFG":    func() engine.Request { r := frog; r.CFG = 3; return with(r, term(1, 0, 1)) }(),
		"empty":  {Seed: 2, Steps: 1, Size: recipe.Square(16), CFG: 1},
	} {
		// A program of its own for each case: the first to record decides what it reads.
		t.Run(name, func(t *testing.T) { probedPicture(t, f.load(spy), spy, req) })
	}
	t.Run("all tokens", func(t *testing.T) {
		full := frog
		full.Prompt, full.Steps, full.Probe = strings.Repeat("frog ", probeText-2), 1, &engine.ProbeRequest{}
		p := picture(t, e, full).Probe
		if p.Padding != 0 || len(p.Words) != probeText || len(p.Attention) != probeBlocks*probeText*4 {
			t.Errorf("%d maps of %d tokens, %d of padding", len(p.Words), probeText, p.Padding)
		}
	})
	t.Run("branches", func(t *testing.T) {
		one, two := with(frog, term(1, 0, 1)), with(frog, term(1, 0, 1))
		one.Probe, two.Probe, two.CFG = &engine.ProbeRequest{}, &engine.ProbeRequest{}, 3
		a, b := picture(t, e, one).Probe, picture(t, e, two).Probe
		if !reflect.DeepEqual(a.NormY, b.NormY) || !reflect.DeepEqual(a.Blocks, b.Blocks) {
			t.Errorf("of two branches the prompt's is told as %v, of one as %v", b.NormY, a.NormY)
		}
	})
	unknown := frog
	unknown.Prompt, unknown.Probe = "a blurple frog", &engine.ProbeRequest{}
	if w := picture(t, e, unknown).Probe.Tokens[2]; w.Kind != "unknown" || w.Text != "blurple" {
		t.Errorf("an unknown word is %+v", w)
	}
	for _, w := range []int{-1, 5, 1 << 40} {
		unknown.Probe = &engine.ProbeRequest{Word: &w}
		if _, err := e.Generate(background(), unknown, nil); !fault.Is(err, fault.RequestInvalid) {
			t.Errorf("word %d: %v", w, err)
		}
	}
}

// probedPicture makes a picture with and without a probe, and compares.
func probedPicture(t *testing.T, e *engine.Engine, spy *spy, req engine.Request) {
	plain := picture(t, e, req)
	if plain.Probe != nil || plain.Timings.ProbeMs != 0 {
		t.Error("a probe that nobody asked for")
	}
	req.Probe = &engine.ProbeRequest{}
	spy.seen = nil
	r := picture(t, e, req)
	steps := spy.seen
	if !same(plain, r) {
		t.Error("looking on changed the picture")
	}
	if r.Parameters.Probe != nil {
		t.Error("the probe is among the picture's parameters")
	}
	p := r.Probe
	if p == nil || len(r.Timings.StepsMs) != req.Steps || r.Timings.ProbeMs <= 0 {
		t.Fatalf("probe %v, times %+v", p, r.Timings)
	}
	if p.Rows != req.Size.Height/8 || p.Cols != req.Size.Width/8 || len(p.Times) != req.Steps+1 || p.Times[0] != 1 || p.Times[req.Steps] != 0 {
		t.Errorf("maps of %d×%d, times %v", p.Rows, p.Cols, p.Times)
	}
	probedTokens(t, req, p)
	probedAttention(t, e, req, p, steps)
	if again := picture(t, e, with(engine.Request{Prompt: req.Prompt, Seed: req.Seed, Steps: req.Steps, Size: req.Size, CFG: req.CFG}, req.Guidance...)); !same(plain, again) {
		t.Error("after a probe the picture is another")
	}
	norms(t, e, req, p)
	probedLatents(t, e, req, p)
}

// probedTokens: start, the words, end.
func probedTokens(t *testing.T, req engine.Request, p *engine.Probe) {
	kinds := map[string][]string{"": {"start", "end"}, frog.Prompt: {"start", "word", "word", "word", "word", "word", "end"}}[req.Prompt]
	var got, words []string
	for _, w := range p.Tokens {
		got, words = append(got, w.Kind), append(words, w.Text)
	}
	if !slices.Equal(got, kinds) || p.Padding != probeText-len(kinds) {
		t.Errorf("tokens %+v and %d of padding", p.Tokens, p.Padding)
	}
	if req.Prompt != "" && !slices.Equal(words, []string{"", "a", "red", "frog", "at", "night", ""}) {
		t.Errorf("words %q", words)
	}
}

// probedAttention: softmax over the q and k of the step itself; and one word alone is
// told as among all.
func probedAttention(t *testing.T, e *engine.Engine, req engine.Request, p *engine.Probe, steps [][]float32) {
	cells, pass := p.Rows*p.Cols, probeBlocks*map[bool]int{false: 1, true: 2}[req.CFG != 1]
	if len(steps) != req.Steps*pass || len(p.Attention) != req.Steps*probeBlocks*len(p.Words)*cells {
		t.Fatalf("%d attentions were seen, %d numbers told", len(steps), len(p.Attention))
	}
	var want []float32
	for s := range req.Steps {
		for b := range probeBlocks {
			all := softmax(steps[s*pass+b], probeText+cells, probeHeads, probeWidth/probeHeads)
			for _, w := range p.Words {
				for i := range cells {
					want = append(want, float32(all[(probeText+i)*(probeText+cells)+w]))
				}
			}
		}
	}
	near(t, "attention", p.Attention, want, 1e-4)

	one := len(p.Tokens) - 1
	req.Probe = &engine.ProbeRequest{Word: &one}
	alone := picture(t, e, req).Probe
	var among []float32
	for b := range req.Steps * probeBlocks {
		among = append(among, p.Attention[(b*len(p.Words)+one)*cells:][:cells]...)
	}
	// A GPU may sum a product of one column in another order than one of many.
	near(t, "attention to one word alone", alone.Attention, among, 1e-6)
}

// probedLatents have the size of the linear preview, and begin with the same noise
// whatever the number of steps.
func probedLatents(t *testing.T, e *engine.Engine, req engine.Request, p *engine.Probe) {
	if len(p.Latents) != req.Steps+1 {
		t.Fatalf("%d latents", len(p.Latents))
	}
	for i, img := range p.Latents {
		if img.W != req.Size.Width/4 || img.H != req.Size.Height/4 || len(img.RGBA) != 4*img.W*img.H {
			t.Errorf("latent %d is %d×%d", i, img.W, img.H)
		}
	}
	if fresh := req; fresh.Steps != 1 {
		fresh.Steps, fresh.Probe = 1, &engine.ProbeRequest{}
		if !reflect.DeepEqual(picture(t, e, fresh).Probe.Latents[0], p.Latents[0]) {
			t.Error("the noise depends on the number of steps")
		}
	}
}

// norms checks lengths and angles where they can be told without the model.
func norms(t *testing.T, e *engine.Engine, req engine.Request, p *engine.Probe) {
	info := e.Info()
	blocks := info.Blocks.Double + info.Blocks.Single
	if len(p.Blocks) != blocks+1 || len(p.NormY) != req.Steps {
		t.Fatalf("%d blocks, %d lengths of y", len(p.Blocks), len(p.NormY))
	}
	for l, b := range p.Blocks {
		kind := map[bool]string{true: "double", false: "single"}[l < info.Blocks.Double]
		guided := false
		for _, g := range req.Guidance {
			w, err := g.Schedule.Weights(g.Weight, blocks)
			if err != nil {
				t.Fatal(err)
			}
			if w = append(w, float32(g.Head)); w[l] != 0 {
				guided = true
			}
		}
		if l == blocks {
			kind = "head"
		}
		if b.Kind != kind || len(b.Norm) != req.Steps || len(b.AngleDegrees) != req.Steps {
			t.Errorf("block %d is %+v", l, b)
			continue
		}
		for s := range req.Steps {
			if !guided && (b.NormShift != 0 || b.Norm[s] != p.NormY[s] || b.AngleDegrees[s] > 1e-4) {
				t.Errorf("block %d is not guided, yet %+v with y %v", l, b, p.NormY)
			}
			// The law of cosines.
			c := math.Sqrt(p.NormY[s]*p.NormY[s] + b.Norm[s]*b.Norm[s] - 2*p.NormY[s]*b.Norm[s]*math.Cos(b.AngleDegrees[s]*math.Pi/180))
			if guided && (b.NormShift == 0 || math.Abs(c-b.NormShift) > 1e-3*b.NormShift) {
				t.Errorf("block %d, step %d: ‖y‖ %g, %+v: the shift is %g long", l, s, p.NormY[s], b, c)
			}
		}
	}
	parts := 4*info.Blocks.Double + info.Blocks.Single + 1
	if len(p.Modulation) != parts {
		t.Fatalf("%d parts of modulation, want %d", len(p.Modulation), parts)
	}
	for _, m := range p.Modulation {
		for _, v := range [][]float64{m.Shift, m.Scale, m.Gate} {
			if len(v) != req.Steps && !(m.Part == "head" && v == nil) {
				t.Errorf("%+v", m)
			}
		}
	}
}

// spy reads q and k of every attention of the ordinary step.
type spy struct {
	op.Backend
	t    *testing.T
	seen [][]float32 // [T+S, q|k] of each attention, in the order of time
}

func (*spy) Close() {}

type spyProgram struct {
	op.Program
	spy  *spy
	kept []*op.Tensor
}

func (s *spy) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	if l.Name != "step" {
		return s.Backend.Compile(ctx, l)
	}
	spied := op.NewList(l.Name)
	p := &spyProgram{spy: s}
	for _, n := range l.Nodes {
		if a, ok := n.(*op.AttentionOp); ok {
			y, _ := a.Packed()
			qk, err := s.New("q and k", op.F32, y.Rows, 2*a.Heads*a.HeadDim)
			if err != nil {
				return nil, err
			}
			p.kept = append(p.kept, spied.Copy(y.Columns(0, qk.Cols), qk))
		}
		spied.Nodes = append(spied.Nodes, n)
	}
	if err := l.Err(); err != nil {
		return nil, err
	}
	var err error
	p.Program, err = s.Backend.Compile(ctx, spied)
	return p, err
}

func (p *spyProgram) Run(ctx context.Context, copies ...op.Copy) error {
	if err := p.Program.Run(ctx, copies...); err != nil {
		return err
	}
	for _, k := range p.kept {
		x, err := p.spy.Read(ctx, k)
		if err != nil {
			return err
		}
		p.spy.seen = append(p.spy.seen, x)
	}
	return nil
}

func (p *spyProgram) Close() {
	p.Program.Close()
	p.spy.Free(p.kept...)
}

// softmax is the attention [n, n] of q|k [n, 2·heads·size], averaged over heads, as
// it is written in a book.
func softmax(qk []float32, n, heads, size int) []float64 {
	d := heads * size
	out := make([]float64, n*n)
	for h := range heads {
		for i := range n {
			row := make([]float64, n)
			sum := 0.0
			for j := range n {
				dot := 0.0
				for c := range size {
					dot += float64(qk[i*2*d+h*size+c]) * float64(qk[j*2*d+d+h*size+c])
				}
				row[j] = math.Exp(dot / math.Sqrt(float64(size)))
				sum += row[j]
			}
			for j, e := range row {
				out[i*n+j] += e / sum / float64(heads)
			}
		}
	}
	return out
}
