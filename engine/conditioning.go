package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/text"
)

// How much the conditioner remembers. ψ is one vector; a context is megabytes in a
// large model.
const (
	psiBatch    = 4  // prompts per readback
	keepPsi     = 64 // prompts whose ψ is kept
	keepContext = 4  // prompts whose context is kept, those of ψ's latest
)

// reader is one text encoder of a model, with its tokenizer.
type reader struct {
	name      string // by which the transformer knows it
	tokenizer *text.Tokenizer
	encoder   TextEncoder
	text.Pass // the tensors of one prompt
}

// conditioner runs everything that depends on words or times but not on the latent,
// and reads its vectors back for the CPU to blend.
type conditioner struct {
	be          op.Backend
	readers     []*reader
	transformer Transformer
	shape       dit.Shape
	reading     dit.Reading
	pooledFrom  []*reader

	context  *op.Tensor // [T, D]
	pooled   *op.Tensor // [psiBatch, Pooled], nil for a transformer without a pooled path
	times    *op.Tensor // [steps, Time]
	scales   *op.Tensor // [steps, Time], embedded guidance scale; nil without it
	psi, tau *op.Tensor // [psiBatch, Vector], [steps, Vector]
	runText  op.Program // ids → states, context
	runPsi   op.Program // pooled → psi
	runTau   op.Program // times, scales → tau
	prompts  []*prompt  // by use, the latest last
	tauKey   string     // what tauRows was computed of
	tauRows  []float32
}

// prompt is what is known of one prompt.
type prompt struct {
	text    string
	psi     []float32     // [Vector]
	context *op.Tensor    // [T, D] or nil
	tokens  []text.Tokens // by reader
}

func newConditioner(ctx context.Context, be op.Backend, readers []*reader, t Transformer, reading dit.Reading, steps int) (*conditioner, error) {
	c := &conditioner{be: be, readers: readers, transformer: t, shape: t.Shape(), reading: reading}
	var err error
	tensor := func(name string, dt op.DType, rows, cols int) *op.Tensor {
		var t *op.Tensor
		if err == nil {
			t, err = be.New(name, dt, rows, cols)
		}
		return t
	}
	var states []dit.States
	for _, r := range readers {
		s := r.encoder.Shape()
		r.IDs, r.States = tensor("ids", op.U32, 1, s.Tokens), tensor("tokens", op.F32, s.Layers()*s.Tokens, s.Width)
		if s.Pooled > 0 {
			r.End, r.Pooled = tensor("end of text", op.U32, 1, 1), tensor("pooled vector", op.F32, 1, s.Pooled)
		}
		if s.Masked {
			r.Mask = tensor("mask", op.F32, 1, s.Tokens)
		}
		if s.Zeroed {
			r.Kept = tensor("kept states", op.U32, 1, s.Tokens)
		}
		states = append(states, dit.States{Encoder: r.seen(), Tensor: r.States})
	}
	for _, name := range reading.Pooled {
		i := slices.IndexFunc(readers, func(r *reader) bool { return r.name == name })
		c.pooledFrom = append(c.pooledFrom, readers[i])
	}
	c.context = tensor("context", op.F32, reading.Tokens, reading.Width)
	if c.shape.Pooled > 0 {
		c.pooled = tensor("pooled", op.F32, psiBatch, c.shape.Pooled)
	}
	c.times = tensor("times", op.F32, steps, c.shape.Time)
	if c.shape.EmbedsGuidance {
		c.scales = tensor("guidance scale", op.F32, steps, c.shape.Time)
	}
	c.psi = tensor("psi", op.F32, psiBatch, c.shape.Vector)
	c.tau = tensor("tau", op.F32, steps, c.shape.Vector)
	if err != nil {
		return nil, err
	}

	words := op.NewList("text")
	for _, r := range readers {
		r.encoder.Encode(words, r.Pass)
	}
	t.Context(words, states, c.context)
	vector := op.NewList("psi")
	t.Psi(vector, c.pooled, c.psi)
	clock := op.NewList("tau")
	t.Tau(clock, c.times, c.scales, c.tau)
	if c.runText, err = be.Compile(ctx, words); err != nil {
		return nil, err
	}
	if c.runPsi, err = be.Compile(ctx, vector); err != nil {
		return nil, err
	}
	c.runTau, err = be.Compile(ctx, clock)
	return c, err
}

// encode returns what is known of each text, computing what is missing: with
// contexts also those. Notices tell of words that were not understood.
func (c *conditioner) encode(ctx context.Context, texts []string, contexts bool) ([]*prompt, []string, error) {
	var missing []*prompt
	out := make([]*prompt, len(texts))
	for i, t := range texts {
		p := c.recall(t)
		out[i] = p
		if (p.psi == nil || contexts && p.context == nil) && !slices.Contains(missing, p) {
			missing = append(missing, p)
		}
	}
	for len(missing) > 0 {
		n := min(len(missing), psiBatch)
		if err := c.compute(ctx, missing[:n], contexts); err != nil {
			return nil, nil, err
		}
		missing = missing[n:]
	}
	var notices []string
	notice := func(format string, args ...any) { // of several encoders one may say what another has said
		if n := fmt.Sprintf(format, args...); !slices.Contains(notices, n) {
			notices = append(notices, n)
		}
	}
	for _, p := range out {
		for i, t := range p.tokens {
			if t.Truncated {
				notice("%s%d tokens: %.40q…", recipe.NoticeTooLong, c.readers[i].IDs.Cols, p.text)
			}
			if len(t.Unknown) > 0 {
				notice("%s%s", recipe.NoticeUnknown, strings.Join(t.Unknown, ", "))
			}
		}
	}
	c.forget(len(out))
	return out, notices, nil
}

// recall finds a prompt, or makes an empty one, and marks it as the latest.
func (c *conditioner) recall(s string) *prompt {
	p := &prompt{text: s}
	if i := slices.IndexFunc(c.prompts, func(p *prompt) bool { return p.text == s }); i >= 0 {
		p = c.prompts[i]
		c.prompts = slices.Delete(c.prompts, i, i+1)
	}
	c.prompts = append(c.prompts, p)
	return p
}

// compute encodes up to psiBatch prompts, one run of the text encoders for each,
// and reads their ψ back together.
func (c *conditioner) compute(ctx context.Context, batch []*prompt, contexts bool) (err error) {
	made := make([]*op.Tensor, len(batch))
	defer func() {
		if err != nil {
			c.be.Free(made...)
		}
	}()
	var pending []op.Copy // results of the last run, moved out at the head of the next
	for i, p := range batch {
		if err := c.write(p); err != nil {
			return err
		}
		if err := c.runText.Run(ctx, pending...); err != nil {
			return err
		}
		pending = c.pool(i)
		if contexts && p.context == nil {
			if made[i], err = c.be.New("context of a prompt", op.F32, c.context.Rows, c.context.Cols); err != nil {
				return err
			}
			pending = append(pending, op.Copy{Dst: made[i], Src: c.context})
		}
	}
	if err := c.runPsi.Run(ctx, pending...); err != nil {
		return err
	}
	psi, err := c.be.Read(ctx, c.psi)
	if err != nil {
		return err
	}
	for i, p := range batch {
		p.psi = psi[i*c.shape.Vector : (i+1)*c.shape.Vector]
		if made[i] != nil {
			p.context = made[i]
		}
	}
	return nil
}

// write gives a prompt's tokens to every text encoder.
func (c *conditioner) write(p *prompt) error {
	p.tokens = make([]text.Tokens, len(c.readers))
	for i, r := range c.readers {
		tokens, err := r.tokenizer.Encode(p.text)
		if err != nil {
			return err
		}
		p.tokens[i] = tokens
		if err := c.be.WriteU32(r.IDs, tokens.IDs); err != nil {
			return err
		}
		if r.End != nil {
			if err := c.be.WriteU32(r.End, []uint32{uint32(tokens.EOS)}); err != nil {
				return err
			}
		}
		if r.Mask != nil {
			if err := c.be.Write(r.Mask, tokens.Mask()); err != nil {
				return err
			}
		}
		if r.Kept != nil {
			if err := c.be.WriteU32(r.Kept, tokens.Kept()); err != nil {
				return err
			}
		}
	}
	return nil
}

// pool lists the copies that put the pooled vectors of the last run side by side
// into a row of pooled, if the transformer reads any.
func (c *conditioner) pool(i int) (copies []op.Copy) {
	if c.pooled == nil {
		return nil
	}
	at, row := 0, c.pooled.Slice(i, i+1)
	for _, r := range c.pooledFrom {
		copies = append(copies, op.Copy{Dst: row.Columns(at, at+r.Pooled.Cols), Src: r.Pooled})
		at += r.Pooled.Cols
	}
	return copies
}

// forget drops the prompts that have not been used for longest. The last inUse
// ones, and the contexts of the latest few that have any, always stay.
func (c *conditioner) forget(inUse int) {
	if n := len(c.prompts) - max(keepPsi, inUse); n > 0 {
		for _, p := range c.prompts[:n] {
			c.be.Free(p.context)
		}
		c.prompts = slices.Delete(c.prompts, 0, n)
	}
	kept := 0
	for _, p := range slices.Backward(c.prompts) {
		if p.context == nil {
			continue
		}
		if kept++; kept > keepContext {
			c.be.Free(p.context)
			p.context = nil
		}
	}
}

// release gives up the contexts of all prompts.
func (c *conditioner) release() {
	for _, p := range c.prompts {
		c.be.Free(p.context)
		p.context = nil
	}
}

// clock returns τ(t) (+ g(scale) where the model embeds a guidance scale) for every
// t, [len(t), Vector]. The last answer is kept.
func (c *conditioner) clock(ctx context.Context, t []float64, scale float64) ([]float32, error) {
	key := fmt.Sprint(t)
	if c.scales != nil {
		key = fmt.Sprint(t, scale)
	}
	if key == c.tauKey {
		return c.tauRows, nil
	}
	rows := make([]float32, 0, c.times.Rows*c.times.Cols)
	for _, t := range t {
		rows = append(rows, c.transformer.Time(t)...)
	}
	if err := c.be.Write(c.times, rows[:cap(rows)]); err != nil {
		return nil, err
	}
	if c.scales != nil {
		rows = rows[:0]
		for range t {
			rows = append(rows, c.transformer.Time(scale)...)
		}
		if err := c.be.Write(c.scales, rows[:cap(rows)]); err != nil {
			return nil, err
		}
	}
	if err := c.runTau.Run(ctx); err != nil {
		return nil, err
	}
	tau, err := c.be.Read(ctx, c.tau.Slice(0, len(t)))
	if err != nil {
		return nil, err
	}
	c.tauKey, c.tauRows = key, tau
	return tau, nil
}

// first is the place of the encoder whose tokens the context begins with.
func (c *conditioner) first() int {
	return max(0, slices.IndexFunc(c.readers, func(r *reader) bool { return r.name == c.reading.First }))
}

// seen is what a transformer may read of a text encoder.
func (r *reader) seen() dit.Encoder {
	s := r.encoder.Shape()
	return dit.Encoder{Name: r.name, Tokens: s.Tokens, Width: s.Width, Pooled: s.Pooled, States: s.Layers()}
}
