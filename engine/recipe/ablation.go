package recipe

import (
	"slices"

	"undertone/engine/fault"
	"undertone/engine/tinyjson"
)

// Ablation takes something away from what a model reads of the prompt, so that a
// picture shows what it was good for. The unconditional pass of classifier-free
// guidance and the prompts of directions stay as they are, but for PooledOff and
// PooledGuided, which hold for all of them.
type Ablation struct {
	Pooled PooledAblation `json:"pooled,omitempty"`
	Prompt string         `json:"prompt,omitempty"` // with PooledOfPrompt
	Tokens TokenAblation  `json:"tokens,omitempty"`
}

// PooledAblation is what stands for the prompt's pooled vector.
type PooledAblation string

// What may stand for a pooled vector; "" is the prompt's own.
const (
	PooledZero     PooledAblation = "zero"   // zeros
	PooledRandom   PooledAblation = "random" // normal numbers of the picture's seed, of the norm of the prompt's own
	PooledOfPrompt PooledAblation = "prompt" // that of another prompt
	// PooledOff leaves the pooled path out, and the directions with it: of a model with an
	// adapter it makes the model without.
	PooledOff PooledAblation = "off"
	// PooledGuided leaves it out of the blocks in which no direction has a weight, where there
	// are directions, as the code does that was published with the paper.
	PooledGuided PooledAblation = "guided"
)

// TokenAblation is what stands for the prompt's tokens.
type TokenAblation string

// TokensEmpty are the tokens of the empty prompt; "" are the prompt's own.
const TokensEmpty TokenAblation = "empty"

// Check refuses what is not known (fault.RequestInvalid).
func (a *Ablation) Check() error {
	if a == nil {
		return nil
	}
	if !slices.Contains([]PooledAblation{"", PooledZero, PooledRandom, PooledOfPrompt, PooledOff, PooledGuided}, a.Pooled) {
		return fault.New(fault.RequestInvalid, "the pooled vector cannot be %.40q; zero, random, prompt, off and guided are possible", a.Pooled)
	}
	if a.Tokens != "" && a.Tokens != TokensEmpty {
		return fault.New(fault.RequestInvalid, "the tokens cannot be %.40q; empty is possible", a.Tokens)
	}
	if a.Prompt != "" && a.Pooled != PooledOfPrompt {
		return fault.New(fault.RequestInvalid, "the ablation names a prompt, %.40q, which pooled \"prompt\" needs and no other", a.Prompt)
	}
	return CheckPrompt(a.Prompt)
}

// Reduced is nil for an ablation that takes nothing away.
func (a *Ablation) Reduced() *Ablation {
	if a == nil || *a == (Ablation{}) {
		return nil
	}
	return a
}

// Same reports whether two ablations take the same away.
func (a *Ablation) Same(b *Ablation) bool {
	a, b = a.Reduced(), b.Reduced()
	return a == b || a != nil && b != nil && *a == *b
}

// ablation reads one of a link or a picture. What stands behind it is treated as with
// directions.
func (r *reader) ablation(s string) *Ablation {
	var a Ablation
	rest, err := tinyjson.UnmarshalFirst(s, &a)
	if err == nil {
		a.Prompt = r.text(FieldAblate, a.Prompt)
		err = a.Check()
	}
	if err != nil {
		r.notice(FieldAblate, s, "")
		return nil
	}
	if !punctuation(rest) {
		r.notice(FieldAblate, rest, "")
	}
	return a.Reduced()
}
