package engine

import (
	"path"
	"slices"

	"undertone/engine/checkpoint"
	"undertone/engine/weights"
)

// Adapt gives a bundle whose transformer has no path for the pooled vector a pooled adapter,
// which lies in files of its own (Ablation PooledOff is the plain model then, bit for bit).
// The sources of found must stay open as long as the bundle is used. Errors: PartMissing
// where there is no adapter, PartsMixed where it is another model's, or more than one is.
func Adapt(b *weights.Bundle, found *checkpoint.Found) (*weights.Bundle, error) {
	m := b.Manifest
	m.Components = slices.Clone(m.Components)
	at := slices.IndexFunc(m.Components, func(c weights.Component) bool { return c.Role == weights.RoleTransformer })
	c := &m.Components[at]
	var err error
	if c.Config, err = found.Adapt(c.Kind, c.Config); err != nil {
		return nil, err
	}
	c.Parameters += found.Adapter.Parameters
	m.Revision += ", adapter " + path.Base(found.Adapter.Files[0])
	return b.With(m, c.File, found.Adapter.Index, found.Adapter.Source), nil
}
