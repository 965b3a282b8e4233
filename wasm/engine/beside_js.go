package main

import (
	"context"
	"syscall/js"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// adapt gives a bundle the pooled adapter in a file beside it, which is read where it lies
// and not kept; for report see gather.
func adapt(ctx context.Context, b *weights.Bundle, file protocol.File, blobs []js.Value, report func(string, arrival)) (*weights.Bundle, *given, error) {
	g, err := gather(ctx, protocol.Source{Files: []protocol.File{file}}, blobs, nil, report)
	if err != nil {
		return nil, nil, err
	}
	found, err := g.identify()
	if err != nil {
		return nil, g, err
	}
	if g.about, _, err = g.describe(found, nil); err != nil {
		return nil, g, err
	}
	g.about.Missing = []recipe.MissingPart{} // the model has the rest
	b, err = engine.Adapt(b, found)
	return b, g, err
}

// describeAdapted says what a model offers with an adapter beside it.
func describeAdapted(ctx context.Context, m *weights.Manifest, file protocol.File, blobs []js.Value) (*recipe.Published, *weights.Manifest, error) {
	b, g, err := adapt(ctx, &weights.Bundle{Manifest: *m}, file, blobs, nil)
	if g != nil {
		defer g.hangUp()
		defer g.window.clear()
	}
	if err != nil {
		return nil, nil, err
	}
	return g.about, &b.Manifest, nil
}
