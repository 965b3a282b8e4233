package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
)

// How much the encoder remembers. ψ is one vector; token states are megabytes in
// a large model.
const (
	psiBatch   = 4  // prompts per readback
	keepPsi    = 64 // prompts whose ψ is kept
	keepTokens = 4  // prompts whose token states are kept, those of ψ's latest
)

// encoder runs everything that depends on words or times but not on the latent,
// and reads its vectors back for the CPU to blend.
type encoder struct {
	be        op.Backend
	tokenizer *text.Tokenizer
	flux      *dit.Flux

	ids, tokens, txt *op.Tensor // [1, T] U32, [T, C], [T, D]
	pooled           *op.Tensor // [psiBatch, P]
	sinusoids        *op.Tensor // [times, TimeDim]
	scales           *op.Tensor // [times, TimeDim], embedded guidance scale; nil without it
	psi, tau         *op.Tensor // [psiBatch, D], [times, D]

	runText, runPsi, runTau op.Program

	prompts []*prompt // by use, the latest last
	tauKey  string
	tauRows []float32
}

// prompt is what is known of one prompt.
type prompt struct {
	text   string
	psi    []float32  // [D]
	txt    *op.Tensor // [T, D] or nil
	tokens text.Tokens
}

func newEncoder(ctx context.Context, be op.Backend, tok *text.Tokenizer, clip *text.CLIP, f *dit.Flux, times int) (*encoder, error) {
	e := &encoder{be: be, tokenizer: tok, flux: f}
	var err error
	tensor := func(name string, dt op.DType, rows, cols int) *op.Tensor {
		var t *op.Tensor
		if err == nil {
			t, err = be.New(name, dt, rows, cols)
		}
		return t
	}
	e.ids = tensor("ids", op.U32, 1, clip.MaxLength)
	e.tokens = tensor("tokens", op.F32, clip.MaxLength, clip.HiddenSize)
	e.txt = tensor("txt", op.F32, clip.MaxLength, f.Hidden)
	e.pooled = tensor("pooled", op.F32, psiBatch, f.VecDim)
	e.sinusoids = tensor("times", op.F32, times, dit.TimeDim)
	if f.GuidanceEmbed {
		e.scales = tensor("guidance scale", op.F32, times, dit.TimeDim)
	}
	e.psi = tensor("psi", op.F32, psiBatch, f.Hidden)
	e.tau = tensor("tau", op.F32, times, f.Hidden)
	if err != nil {
		return nil, err
	}

	words := op.NewList("text")
	clip.Encode(words, e.ids, e.tokens)
	f.TextIn(words, e.tokens, e.txt)
	vector := op.NewList("psi")
	f.Psi(vector, e.pooled, e.psi)
	clock := op.NewList("tau")
	f.Tau(clock, e.sinusoids, e.scales, e.tau)
	if e.runText, err = be.Compile(ctx, words); err != nil {
		return nil, err
	}
	if e.runPsi, err = be.Compile(ctx, vector); err != nil {
		return nil, err
	}
	e.runTau, err = be.Compile(ctx, clock)
	return e, err
}

// encode returns what is known of each text, computing what is missing: with
// states also the token states. Notices tell of words that were not understood.
func (e *encoder) encode(ctx context.Context, texts []string, states bool) ([]*prompt, []string, error) {
	var missing []*prompt
	out := make([]*prompt, len(texts))
	for i, t := range texts {
		p := e.recall(t)
		out[i] = p
		if (p.psi == nil || states && p.txt == nil) && !slices.Contains(missing, p) {
			missing = append(missing, p)
		}
	}
	for len(missing) > 0 {
		n := min(len(missing), psiBatch)
		if err := e.compute(ctx, missing[:n], states); err != nil {
			return nil, nil, err
		}
		missing = missing[n:]
	}
	var notices []string
	for _, p := range out {
		if p.tokens.Truncated {
			notices = append(notices, fmt.Sprintf("%.40q… is longer than the %d tokens the model reads: its end was left out", p.text, e.ids.Cols))
		}
		if len(p.tokens.Unknown) > 0 {
			notices = append(notices, fmt.Sprintf("words this model does not know: %s", strings.Join(p.tokens.Unknown, ", ")))
		}
	}
	e.forget(len(out))
	return out, notices, nil
}

// recall finds a prompt, or makes an empty one, and marks it as the latest.
func (e *encoder) recall(s string) *prompt {
	p := &prompt{text: s}
	if i := slices.IndexFunc(e.prompts, func(p *prompt) bool { return p.text == s }); i >= 0 {
		p = e.prompts[i]
		e.prompts = slices.Delete(e.prompts, i, i+1)
	}
	e.prompts = append(e.prompts, p)
	return p
}

// compute encodes up to psiBatch prompts, one run of the text encoder for each,
// and reads their ψ back together.
func (e *encoder) compute(ctx context.Context, batch []*prompt, states bool) (err error) {
	txts := make([]*op.Tensor, len(batch))
	defer func() {
		if err != nil {
			e.be.Free(txts...)
		}
	}()
	var pending []op.Copy // results of the last run, moved out at the head of the next
	for i, p := range batch {
		tokens, err := e.tokenizer.Encode(p.text)
		if err != nil {
			return err
		}
		p.tokens = tokens
		if err := e.be.WriteU32(e.ids, tokens.IDs); err != nil {
			return err
		}
		if err := e.runText.Run(ctx, pending...); err != nil {
			return err
		}
		pending = []op.Copy{{Dst: e.pooled.Slice(i, i+1), Src: e.tokens.Slice(tokens.EOS, tokens.EOS+1)}}
		if states && p.txt == nil {
			if txts[i], err = e.be.New("txt of a prompt", op.F32, e.txt.Rows, e.txt.Cols); err != nil {
				return err
			}
			pending = append(pending, op.Copy{Dst: txts[i], Src: e.txt})
		}
	}
	if err := e.runPsi.Run(ctx, pending...); err != nil {
		return err
	}
	psi, err := e.be.Read(ctx, e.psi)
	if err != nil {
		return err
	}
	for i, p := range batch {
		p.psi = psi[i*e.flux.Hidden : (i+1)*e.flux.Hidden]
		if txts[i] != nil {
			p.txt = txts[i]
		}
	}
	return nil
}

// forget drops the prompts that have not been used for longest. The last inUse
// ones, and the token states of the latest few that have any, always stay.
func (e *encoder) forget(inUse int) {
	if n := len(e.prompts) - max(keepPsi, inUse); n > 0 {
		for _, p := range e.prompts[:n] {
			e.be.Free(p.txt)
		}
		e.prompts = slices.Delete(e.prompts, 0, n)
	}
	kept := 0
	for _, p := range slices.Backward(e.prompts) {
		if p.txt == nil {
			continue
		}
		if kept++; kept > keepTokens {
			e.be.Free(p.txt)
			p.txt = nil
		}
	}
}

// release gives up the token states of all prompts.
func (e *encoder) release() {
	for _, p := range e.prompts {
		e.be.Free(p.txt)
		p.txt = nil
	}
}

// times returns τ(t) (+ g(scale) where the model embeds a guidance scale) for
// every t, [len(t), D]. The last answer is kept.
func (e *encoder) times(ctx context.Context, t []float64, scale float64) ([]float32, error) {
	key := fmt.Sprint(t)
	if e.scales != nil {
		key = fmt.Sprint(t, scale)
	}
	if key == e.tauKey {
		return e.tauRows, nil
	}
	rows := make([]float32, 0, e.sinusoids.Rows*dit.TimeDim)
	for _, t := range t {
		rows = append(rows, dit.Sinusoid(t)...)
	}
	if err := e.be.Write(e.sinusoids, rows[:cap(rows)]); err != nil {
		return nil, err
	}
	if e.scales != nil {
		rows = rows[:0]
		for range t {
			rows = append(rows, dit.Sinusoid(scale)...)
		}
		if err := e.be.Write(e.scales, rows[:cap(rows)]); err != nil {
			return nil, err
		}
	}
	if err := e.runTau.Run(ctx); err != nil {
		return nil, err
	}
	tau, err := e.be.Read(ctx, e.tau.Slice(0, len(t)))
	if err != nil {
		return nil, err
	}
	e.tauKey, e.tauRows = key, tau
	return tau, nil
}
