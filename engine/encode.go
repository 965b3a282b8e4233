package engine

import (
	"context"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Encode makes the latent of a picture that has a size of this model's, by the encoder for
// reference pictures, as image tokens [S, in]. The first call fetches the encoder.
//
// Errors: RequestInvalid where the model has no encoder; SizeUnsupported; those of weights;
// Aborted; Busy; Closed.
func (e *Engine) Encode(ctx context.Context, image *Image) ([]float32, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	size := recipe.Size{Width: image.W, Height: image.H}
	if !e.edits() {
		return nil, fault.New(fault.RequestInvalid, "the model %.64q has no encoder", e.manifest.Name)
	}
	if !slices.Contains(e.manifest.Sizes, size) {
		return nil, fault.New(fault.SizeUnsupported, "size %v, this model makes %v", size, e.manifest.Sizes)
	}
	z, err := e.encode(ctx, image, size)
	return z, explain(ctx, err)
}

func (e *Engine) encode(ctx context.Context, image *Image, size recipe.Size) ([]float32, error) {
	if err := e.needEncoder(ctx); err != nil {
		return nil, err
	}
	p, err := e.pipeline(ctx, size, true)
	if err != nil {
		return nil, err
	}
	p.referred = ""
	return p.latentOf(ctx, image)
}
