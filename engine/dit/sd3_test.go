package dit

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// The published models.
var (
	sd3Medium  = SD3Config{InChannels: 16, Layers: 24, Heads: 24, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 192, Sample: 128}
	sd35Medium = SD3Config{InChannels: 16, Layers: 24, Heads: 24, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 384, Sample: 128,
		Dual: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, QKNorm: "rms_norm"}
	sd35Large = SD3Config{InChannels: 16, Layers: 38, Heads: 38, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 192, Sample: 128, QKNorm: "rms_norm"}
)

// The published models load, with as many parameters as the sums of their layers
// give, and 333 text tokens with the 4,096 image tokens of 1024 × 1024 pixels record
// without an error of shape.
func TestPublishedSD3(t *testing.T) {
	for name, m := range map[string]struct {
		c                SD3Config
		d, blocks, norms int
		dual, billions   float64
	}{
		"SD3 medium":   {sd3Medium, 1536, 24, 0, 0, 2.03},
		"SD3.5 medium": {sd35Medium, 1536, 24, 1, 13, 2.24},
		"SD3.5 large":  {sd35Large, 2432, 38, 1, 0, 8.06},
	} {
		var w described
		s, err := LoadSD3(m.c, &w)
		if err != nil {
			t.Fatal(err)
		}
		// A layer from a to b has a·b + b; in terms of D² and D those of a stream are
		// 6 + 3 + 1 of attention, 4 + 4 of the MLP, with biases of 6 + 3 + 1 + 4 + 1.
		d, n, dual := m.d, m.blocks, int(m.dual)
		stream := 18*d*d + 15*d
		lastText := (2+3)*d*d + (2+3)*d
		second := (3+3+1)*d*d + (3+3+1)*d
		norms := m.norms * 2 * 64 * (2*n + dual)
		ends := (64*d + d) + (256*d + d) + (d*d + d) + (2048*d + d) + (d*d + d) + (4096*d + d) + (2*d*d + 2*d) + (64*d + 64)
		network := (2*n-1)*stream + lastText + dual*second + norms + ends
		if got := float64(network) / 1e9; math.Abs(got-m.billions) > .005 {
			t.Errorf("%s: %.3f billion parameters, published with %.2f", name, got, m.billions)
		}
		constant := m.c.ContextDim                               // the zeros, which no file holds
		if want := network + 64*64*d; w.elems-constant != want { // positions of 64 × 64 image tokens
			t.Errorf("%s: %d parameters with positions, want %d", name, w.elems-constant, want)
		}
		t.Logf("%s: %d parameters", name, network)
		fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
		l := op.NewList("step")
		s.Velocity(l, Pass{Context: fixed("context", 333, d), Latent: fixed("latent", 4096, 64), Mod: fixed("mod", 1, s.Shape().Modulation), Rows: 64, Cols: 64})
		if l.Err() != nil {
			t.Errorf("%s: %v", name, l.Err())
		}
	}
}

// Modulate fills every column of a row exactly once, in the order of Parts.
func TestSD3Modulation(t *testing.T) {
	c := sd35Medium
	c.Layers, c.Dual = 3, []int{0, 2}
	s, err := LoadSD3(c, &described{})
	if err != nil {
		t.Fatal(err)
	}
	shape := s.Shape()
	at := columns(t, s.Modulate, 4*shape.Vector, shape.Modulation)
	parts := 0
	for _, p := range s.Parts() {
		parts += 2 * p.Width
		if p.Gate {
			parts += p.Width
		}
	}
	if want := (9 + 6 + 6 + 6 + 9 + 2 + 2) * 1536; at != want || parts != want || shape.Modulation != want {
		t.Errorf("Modulate fills %d columns, Parts has %d, Shape %d, want %d", at, parts, shape.Modulation, want)
	}
}

func TestSD3Refuses(t *testing.T) {
	for name, bend := range map[string]func(c *SD3Config){
		"no channels":         func(c *SD3Config) { c.InChannels = 0 },
		"no heads":            func(c *SD3Config) { c.Heads = 0 },
		"heads of 132":        func(c *SD3Config) { c.HeadDim = 132 },
		"uneven heads":        func(c *SD3Config) { c.HeadDim = 62 },
		"too wide":            func(c *SD3Config) { c.Heads = 257 },
		"no context":          func(c *SD3Config) { c.ContextDim = 0 },
		"a huge pooled width": func(c *SD3Config) { c.PooledDim = 1<<14 + 1 },
		"no blocks":           func(c *SD3Config) { c.Layers, c.Dual = 0, nil },
		"many blocks":         func(c *SD3Config) { c.Layers = 201 },
		"no positions":        func(c *SD3Config) { c.Side = 0 },
		"a negative picture":  func(c *SD3Config) { c.Sample = -1 },
		"a huge table":        func(c *SD3Config) { c.Side = 1025 },
		"attn2 in no block":   func(c *SD3Config) { c.Dual = []int{24} },
		"attn2 before all":    func(c *SD3Config) { c.Dual = []int{-1} },
		"attn2 twice":         func(c *SD3Config) { c.Dual = []int{3, 3} },
		"another norm":        func(c *SD3Config) { c.QKNorm = "layer_norm" },
	} {
		c := sd35Medium
		bend(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	last := sd35Medium
	last.Heads, last.Layers, last.Dual, last.Side, last.PooledDim = 256, 200, []int{199}, 1024, 1<<14
	if err := last.Check(); err != nil {
		t.Errorf("the last that is possible: %v", err)
	}
}

var (
	clipL = Encoder{Name: "clip_l", Tokens: 77, Width: 768, Pooled: 768}
	clipG = Encoder{Name: "clip_g", Tokens: 77, Width: 1280, Pooled: 1280}
	t5    = Encoder{Name: "t5", Tokens: 256, Width: 4096}
)

func TestSD3Fits(t *testing.T) {
	s := &SD3{SD3Config: sd3Medium}
	both := []string{"clip_l", "clip_g"}
	for name, c := range map[string]struct {
		encoders []Encoder
		tokens   int
		first    string
		pooled   []string
	}{
		"all three":   {[]Encoder{clipL, clipG, t5}, 333, "clip_l", both},
		"without T5":  {[]Encoder{clipL, clipG}, 154, "clip_l", both},
		"T5 first":    {[]Encoder{t5, clipL, clipG}, 333, "clip_l", both},
		"one of all":  {[]Encoder{{Name: "made", Tokens: 5, Width: 4096, Pooled: 2048}}, 5, "made", []string{"made"}},
		"pooled only": {[]Encoder{{Name: "p", Pooled: 2048}, t5}, 256, "t5", []string{"p"}},
	} {
		r, err := s.Fit(Parts{c.encoders, 16})
		if err != nil || r.Tokens != c.tokens || r.Width != 1536 || r.First != c.first || !slices.Equal(r.Pooled, c.pooled) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	short, odd, wide, wide2 := clipG, clipG, t5, clipL
	short.Tokens, odd.Width, wide.Width, wide2.Width = 76, 1278, 4100, 3000
	for name, p := range map[string]Parts{
		"another latent":       {[]Encoder{clipL, clipG, t5}, 4},
		"no encoder":           {nil, 16},
		"a pooled vector less": {[]Encoder{clipL, t5}, 16},
		"a pooled vector more": {[]Encoder{clipL, clipG, clipL, t5}, 16},
		"no states":            {[]Encoder{{Name: "p", Pooled: 2048}}, 16},
		"unlike lengths":       {[]Encoder{clipL, short, t5}, 16},
		"an odd width":         {[]Encoder{clipL, odd, t5}, 16},
		"too wide":             {[]Encoder{clipL, clipG, wide}, 16},
		"too wide together":    {[]Encoder{wide2, clipG, t5}, 16},
	} {
		if _, err := s.Fit(p); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The context is the product with [narrow | narrow | zeros ; wide], where wide may be
// missing.
func TestSD3Context(t *testing.T) {
	be := cpu.New(cpu.Options{})
	defer be.Close()
	w := &random{be: be, t: t, rng: rand.New(rand.NewPCG(3, 4)), named: map[string][]float32{}}
	s, err := LoadSD3(SD3Config{InChannels: 4, Layers: 1, Heads: 1, HeadDim: 8, ContextDim: 20, PooledDim: 4, Side: 2}, w)
	if err != nil {
		t.Fatal(err)
	}
	for name, encoders := range map[string][]Encoder{
		"two beside each other": {{"a", 3, 4, 4, 1}, {"b", 3, 8, 0, 1}, {"c", 2, 20, 0, 1}},
		"in any order":          {{"c", 2, 20, 0, 1}, {"b", 3, 8, 4, 1}, {"d", 1, 20, 0, 1}, {"a", 3, 4, 0, 1}},
		"that fill the width":   {{"b", 3, 8, 4, 1}, {"e", 3, 12, 0, 1}, {"c", 2, 20, 0, 1}},
		"narrow alone":          {{"a", 3, 4, 4, 1}},
		"wide alone":            {{"c", 2, 20, 4, 1}},
	} {
		r, err := s.Fit(Parts{encoders, 4})
		if err != nil {
			t.Fatal(err)
		}
		var states []States
		beside, after := make([][]float32, 3), [][]float32(nil)
		for _, e := range encoders {
			values := w.numbers(e.Tokens * e.Width)
			x, err := be.New(e.Name, op.F32, e.Tokens, e.Width)
			if err != nil {
				t.Fatal(err)
			}
			if err := be.Write(x, values); err != nil {
				t.Fatal(err)
			}
			states = append(states, States{e, x})
			for row := range e.Tokens {
				part := values[row*e.Width:][:e.Width]
				if e.Width == 20 {
					after = append(after, part)
				} else {
					beside[row] = append(beside[row], part...)
				}
			}
		}
		if len(beside[0]) == 0 {
			beside = nil
		}
		if after == nil {
			after = make([][]float32, 3) // zeros in the place of T5
		}
		joined := append(beside, after...)
		if len(joined) != r.Tokens {
			t.Fatalf("%s: %d tokens, want %d", name, r.Tokens, len(joined))
		}
		out, err := be.New("out", op.F32, r.Tokens, r.Width)
		if err != nil {
			t.Fatal(err)
		}
		l := op.NewList("context")
		s.Context(l, states, out)
		run, err := be.Compile(context.Background(), l)
		if err == nil {
			err = run.Run(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := be.Read(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		for row, x := range joined {
			for col := range 8 {
				want := float64(w.named["context_embedder.bias"][col])
				for i, v := range x {
					want += float64(v) * float64(w.named["context_embedder.weight"][col*20+i])
				}
				if v := float64(got[row*8+col]); math.Abs(v-want) > 1e-6*(1+math.Abs(want)) {
					t.Fatalf("%s: row %d, column %d is %v, want %v", name, row, col, v, want)
				}
			}
		}
	}
}

// random gives random weights on a machine, and keeps their numbers by name.
type random struct {
	be    op.Backend
	t     *testing.T
	rng   *rand.Rand
	named map[string][]float32
}

func (r *random) numbers(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.rng.NormFloat64())
	}
	return out
}

func (r *random) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	r.named[name] = r.numbers(rows * cols)
	return r.Constant(name, use, rows, cols, r.named[name])
}

func (r *random) Has(name string) bool { return true }

func (r *random) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	x, err := r.be.Upload(context.Background(), op.WeightSpec{Name: name, Use: use, DType: op.F32, Rows: rows, Cols: cols, Data: bytes.NewReader(raw)})
	if err != nil {
		r.t.Fatal(err)
	}
	return x
}

// Pictures get the rows (side − h)/2 … of the whole table, however much of it is kept.
func TestSD3Crop(t *testing.T) {
	for _, side := range []int{11, 12} {
		for sample := range 30 {
			s := &SD3{SD3Config: SD3Config{Heads: 1, HeadDim: 4, Side: side, Sample: sample}}
			kept := s.side()
			if kept > side || sample == 0 && kept != side || (side-kept)%2 != 0 || 2*kept < min(sample, 2*side) || sample > 0 && 2*kept > sample+3 {
				t.Fatalf("of a table of %d, %d are kept for %d pixels", side, kept, sample)
			}
			s.positions = op.NewStorage("positions", op.Weight, op.F32, kept*kept, 4)
			for rows := 1; rows <= kept; rows++ {
				for cols := 1; cols <= kept; cols++ {
					v := s.crop(rows, cols)
					at := v.Offset / 4
					row, col := at/kept+(side-kept)/2, at%kept+(side-kept)/2
					if row != (side-rows)/2 || col != (side-cols)/2 || v.Rows != rows || v.Cols != 4*cols || v.Stride != 4*kept {
						t.Fatalf("%d × %d of %d of %d: %+v", rows, cols, kept, side, v)
					}
				}
			}
		}
	}
}
