package engine

import (
	"context"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/guidance"
)

// ablate puts something else in the place of what the request takes away from the
// prompt: in the first branch, and for this picture only.
func (r *run) ablate(ctx context.Context) error {
	a := r.req.Ablate.Reduced()
	if a == nil {
		return nil
	}
	c, own := r.e.conditioner, *r.branches[0]
	if a.Pooled != "" && c.shape.Pooled == 0 {
		return fault.New(fault.RequestInvalid, "this model reads no pooled vector, which the ablation replaces")
	}
	var err error
	switch a.Pooled {
	case recipe.PooledZero:
		own.psi, err = c.psiOf(ctx, make([]float32, c.shape.Pooled))
	case recipe.PooledRandom:
		own.psi, err = c.randomPsi(ctx, r.branches[0], r.req.Seed)
	case recipe.PooledOfPrompt:
		own.psi, err = r.psiOfPrompt(ctx, a.Prompt)
	case recipe.PooledOff:
		own.psi = make([]float32, c.shape.Vector)
		for i, b := range r.branches {
			other := *b
			other.psi = own.psi
			r.branches[i] = &other
		}
	}
	if err == nil && a.Tokens == recipe.TokensEmpty {
		var empty *prompt
		if empty, err = r.emptyTokens(ctx); err == nil {
			own.context, own.tokens = empty.context, empty.tokens
		}
	}
	r.branches[0] = &own
	return err
}

// pooled is what stands for the prompt's pooled vector, "" where nothing does.
func (r *run) pooled() recipe.PooledAblation {
	if r.req.Ablate == nil {
		return ""
	}
	return r.req.Ablate.Pooled
}

// unguided takes ψ out of the blocks of one row, yhat [(Blocks+1)·Vector], that no
// direction changes, where some direction changes others.
func unguided(yhat, tau []float32, dirs []guidance.Direction) {
	d := len(tau)
	changed := make([]bool, len(yhat)/d-1)
	for _, dir := range dirs {
		for l, w := range dir.Weights {
			changed[l] = changed[l] || w != 0
		}
	}
	if !slices.Contains(changed, true) {
		return
	}
	for l, is := range changed {
		if !is {
			copy(yhat[l*d:(l+1)*d], tau)
		}
	}
}

// psiOfPrompt is ψ of another prompt.
func (r *run) psiOfPrompt(ctx context.Context, text string) ([]float32, error) {
	other, notices, err := r.e.conditioner.encode(ctx, []string{text}, false)
	if err != nil {
		return nil, err
	}
	r.result.Notices = append(r.result.Notices, notices...)
	return other[0].psi, nil
}

// emptyTokens is the context of the empty prompt, with its tokens by encoder.
func (r *run) emptyTokens(ctx context.Context) (*prompt, error) {
	// The prompt is named too, so that its own context stays.
	both, _, err := r.e.conditioner.encode(ctx, []string{r.req.Prompt, ""}, true)
	if err != nil {
		return nil, err
	}
	return both[1], nil
}

// psiOf is ψ of a pooled vector [Pooled].
func (c *conditioner) psiOf(ctx context.Context, pooled []float32) ([]float32, error) {
	if c.pooled == nil {
		return nil, fault.New(fault.RequestInvalid, "a pooled vector for a model that reads none")
	}
	rows := make([]float32, c.pooled.Rows*c.pooled.Cols)
	copy(rows, pooled)
	if err := c.be.Write(c.pooled, rows); err != nil {
		return nil, err
	}
	if err := c.runPsi.Run(ctx); err != nil {
		return nil, err
	}
	return c.be.Read(ctx, c.psi.Slice(0, 1))
}

// randomPsi is ψ of normal numbers that are, together, as long as the prompt's pooled
// vector. The seed is the picture's: another seed is another vector.
func (c *conditioner) randomPsi(ctx context.Context, p *prompt, seed uint32) ([]float32, error) {
	if c.pooled == nil {
		return nil, fault.New(fault.RequestInvalid, "a random pooled vector for a model that reads none")
	}
	if err := c.write(p); err != nil {
		return nil, err
	}
	if err := c.runText.Run(ctx); err != nil {
		return nil, err
	}
	first := c.pooled.Slice(0, 1)
	if err := c.runPsi.Run(ctx, c.pool(0)...); err != nil {
		return nil, err
	}
	own, err := c.be.Read(ctx, first)
	if err != nil {
		return nil, err
	}
	return c.psiOf(ctx, randomLike(own, seed))
}

// randomLike are normal numbers that are, together, as long as a vector.
func randomLike(v []float32, seed uint32) []float32 {
	random := sample.Normal(seed, len(v))
	factor := float32(norm(v) / norm(random))
	for i := range random {
		random[i] *= factor
	}
	return random
}
