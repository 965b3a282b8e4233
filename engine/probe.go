package engine

import (
	"context"
	"math"
	"slices"
	"time"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/guidance"
)

// ProbeRequest asks to look on while a picture is made. The picture stays the
// same, to the last bit; every step is computed a second time for the looking.
type ProbeRequest struct {
	// Word is the token, as numbered in Probe.Tokens, whose attention is wanted;
	// nil: all of them, as far as a head is wide.
	Word *int `json:"word,omitempty"`
}

// Probe is what was seen. With classifier-free guidance it is of the branch that
// has the prompt.
type Probe struct {
	Tokens     []Token      `json:"tokens"`     // what the text encoder read, padding left out
	Padding    int          `json:"padding"`    // how many tokens of padding follow
	Times      []float64    `json:"times"`      // t before each step and after the last: 1 noise … 0 picture
	NormY      []float64    `json:"normY"`      // ‖y(p, t)‖ at every step
	Blocks     []Vectors    `json:"blocks"`     // in the order they run, the output head last
	Modulation []Modulation `json:"modulation"` // in the order of the blocks

	// Attention [steps, blocks, len(Words), Rows·Cols] is what each cell of the
	// picture gives to a token, of the 1 it has for all tokens of text and picture,
	// averaged over the heads.
	Attention []float32 `json:"-"`
	Words     []int     `json:"words"` // which tokens Attention is of
	Rows      int       `json:"rows"`
	Cols      int       `json:"cols"`

	// Latents [steps+1] are x_t as the linear preview draws it: noise, then what
	// each step has left.
	Latents []*Image `json:"-"`
}

// Token is one token of the prompt.
type Token struct {
	ID   uint32 `json:"id"`
	Text string `json:"text"` // empty for start and end
	Kind string `json:"kind"` // "start", "word", "unknown" or "end"
}

// Vectors is what guidance made of y for one block.
type Vectors struct {
	Kind         string    `json:"kind"`         // "double", "single" or "head"
	Norm         []float64 `json:"norm"`         // ‖ŷ‖ at every step
	AngleDegrees []float64 `json:"angleDegrees"` // between y and ŷ, at every step
	NormShift    float64   `json:"normShift"`    // ‖Σ w·δ‖, the same at every step
}

// Modulation is the lengths of shift, scale and gate in one place of a block.
type Modulation struct {
	Block int       `json:"block"` // Blocks() for the output head
	Part  string    `json:"part"`  // see dit.Part
	Shift []float64 `json:"shift"` // at every step
	Scale []float64 `json:"scale"`
	Gate  []float64 `json:"gate,omitempty"` // none at the head
}

// maxProbe bounds the numbers of attention that are kept, and those that a step reads back.
const maxProbe = 1 << 24

// look is the probing of one picture.
type look struct {
	c *canvas
	*Probe
	ms float64
}

// look begins to probe after the canvas has got the picture's noise, or gives nil
// where nobody asked. y and yhat are as Generate made them.
func (c *canvas) look(ctx context.Context, req Request, sigmas []float64, branches []*prompt, y, yhat []float32) (*look, error) {
	if req.Probe == nil {
		return nil, nil
	}
	begin := time.Now()
	f := c.e.flux
	grid := c.side / dit.Patch
	k := &look{c: c, Probe: &Probe{Times: sigmas, Rows: grid, Cols: grid}}
	k.read(branches[0].tokens)
	k.Words = k.Words[:min(len(k.Words), f.HeadDim())]
	if w := req.Probe.Word; w != nil {
		if *w < 0 || *w >= len(k.Tokens) {
			return nil, fault.New(fault.RequestInvalid, "the probe asks for token %d, the prompt has 0 to %d", *w, len(k.Tokens)-1)
		}
		k.Words = []int{*w}
	}
	cells := f.Blocks() * grid * grid
	if n := cells * max(f.HeadDim(), req.Steps*len(k.Words)); n > maxProbe {
		return nil, fault.New(fault.RequestInvalid, "the probe would read %d numbers, at most %d: ask for a smaller picture, fewer steps or one word", n, maxProbe)
	}
	if c.runProbe == nil {
		if err := c.record(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.e.be.Write(c.gaze.Unit, f.GazeUnit(c.rope.Rows, k.Words)); err != nil {
		return nil, err
	}
	k.Attention = make([]float32, 0, req.Steps*cells*len(k.Words))
	for _, part := range f.Parts() {
		k.Modulation = append(k.Modulation, Modulation{Block: part.Block, Part: part.Name})
	}
	k.vectors(req.Steps, len(branches), y, yhat)
	k.ms = milliseconds(begin)
	return k, nil
}

// record compiles the pass that is looked at.
func (c *canvas) record(ctx context.Context) (err error) {
	f, be := c.e.flux, c.e.be
	if c.gaze.Unit == nil { // what a failed attempt has made is still owned
		if c.gaze.Unit, err = c.new("unit values", op.F32, c.rope.Rows, f.Hidden); err != nil {
			return err
		}
	}
	if c.gaze.Out == nil {
		if c.gaze.Out, err = c.new("attention", op.F32, f.Blocks()*c.latent.Rows, f.HeadDim()); err != nil {
			return err
		}
	}
	if c.gaze.Mean == nil {
		if c.gaze.Mean, err = constant(ctx, be, "mean over heads", op.UseMatrix, f.HeadDim(), f.Hidden, f.GazeMean()); err != nil {
			return err
		}
		c.owned = append(c.owned, c.gaze.Mean)
	}
	l := op.NewList("probe")
	f.Velocity(l, dit.Step{X: c.x[0], Latent: c.latent, Mod: c.mod[0], Rope: c.rope, Look: f.Gaze(l, c.gaze)})
	c.runProbe, err = be.Compile(ctx, l)
	return err
}

// read lists the prompt's tokens, and takes all of them for Words.
func (k *look) read(t text.Tokens) {
	last := 1 + len(t.Words)
	k.Padding = len(t.IDs) - 1 - last
	for i, id := range t.IDs[:last+1] {
		token := Token{ID: id, Kind: "word"}
		switch {
		case i == 0:
			token.Kind = "start"
		case i == last:
			token.Kind = "end"
		default:
			if token.Text = t.Words[i-1]; slices.Contains(t.Unknown, token.Text) {
				token.Kind = "unknown"
			}
		}
		k.Tokens = append(k.Tokens, token)
		k.Words = append(k.Words, i)
	}
}

// vectors measures y and ŷ.
func (k *look) vectors(steps, branches int, y, yhat []float32) {
	f := k.c.e.flux
	d, blocks := f.Hidden, f.Blocks()
	k.Blocks = make([]Vectors, blocks+1)
	for s := range steps {
		row := s * branches // the branch with the prompt comes first
		plain := y[row*d : (row+1)*d]
		k.NormY = append(k.NormY, norm(plain))
		for l := range k.Blocks {
			b := &k.Blocks[l]
			hat := yhat[(row*(blocks+1)+l)*d:][:d]
			g := guidance.ReadOut(plain, hat)
			b.Norm, b.AngleDegrees = append(b.Norm, g.NormDelta), append(b.AngleDegrees, g.AngleDegrees)
			if s > 0 {
				continue
			}
			b.NormShift = norm(guidance.Delta(hat, plain))
			switch {
			case l < f.Depth:
				b.Kind = "double"
			case l < blocks:
				b.Kind = "single"
			default:
				b.Kind = "head"
			}
		}
	}
}

// step looks at a step before it is taken: copies are the step's own data, mod its
// row of modulation.
func (k *look) step(ctx context.Context, copies []op.Copy, mod *op.Tensor) error {
	begin := time.Now()
	be, f := k.c.e.be, k.c.e.flux
	if err := k.c.runProbe.Run(ctx, copies...); err != nil {
		return err
	}
	seen, err := be.Read(ctx, k.c.gaze.Out)
	if err != nil {
		return err
	}
	hd, cells := f.HeadDim(), k.Rows*k.Cols
	for block := range f.Blocks() {
		for w := range k.Words {
			for i := range cells {
				k.Attention = append(k.Attention, seen[(block*cells+i)*hd+w])
			}
		}
	}
	row, err := be.Read(ctx, mod)
	if err != nil {
		return err
	}
	next := func() float64 {
		v := row[:f.Hidden]
		row = row[f.Hidden:]
		return norm(v)
	}
	for i, p := range f.Parts() {
		m := &k.Modulation[i]
		m.Shift, m.Scale = append(m.Shift, next()), append(m.Scale, next())
		if p.Gate {
			m.Gate = append(m.Gate, next())
		}
	}
	if err := k.draw(ctx); err != nil {
		return err
	}
	k.ms += milliseconds(begin)
	return nil
}

// draw keeps the latent as it is. The preview draws x_t − t·v, so t must be 0:
// the time after the last step.
func (k *look) draw(ctx context.Context) error {
	c := k.c
	last := len(k.Times) - 2
	if err := c.runPreview.Run(ctx, op.Copy{Dst: c.t, Src: c.ts.Slice(last, last+1)}); err != nil {
		return err
	}
	img, err := readImage(ctx, c.e.be, c.mini, c.side)
	k.Latents = append(k.Latents, img)
	return err
}

// end looks at what all steps have left, and tells r.
func (k *look) end(ctx context.Context, r *Result) error {
	begin := time.Now()
	if err := k.draw(ctx); err != nil {
		return err
	}
	r.Probe = k.Probe
	r.Timings.ProbeMs = k.ms + milliseconds(begin)
	return nil
}

func norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
