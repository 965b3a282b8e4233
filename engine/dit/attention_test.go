package dit

import (
	"testing"

	"undertone/engine/op"
)

// The maps are of the picture's own tokens, wherever those of a reference lie.
func TestMapsBesideAReference(t *testing.T) {
	f, err := LoadFlux(dev, &described{})
	if err != nil {
		t.Fatal(err)
	}
	const text, image, reference = 7, 12, 12
	fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
	s := f.Shape()
	unit := fixed("unit", text+image+reference, s.Vector)
	l := op.NewList("probe")
	p := Pass{Context: fixed("context", text, s.Vector), Latent: fixed("latent", image, 64), Reference: fixed("reference", reference, 64),
		Mod: fixed("mod", 1, s.Modulation), Positions: fixed("rope", text+image+reference, s.HeadDim)}
	p.BeforeAttention = f.Maps(l, Maps{Reference: reference, Unit: unit, Mean: fixed("mean", s.HeadDim, s.Vector), Out: fixed("out", image*len(s.Blocks), s.HeadDim)})
	f.Velocity(l, p)
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	blocks := 0
	for _, n := range l.Nodes {
		if m, ok := n.(*op.MatMulOp); ok && m.Out.Storage.Name == "out" {
			blocks++
			if row := m.A.Offset / m.A.Stride; row != text || m.A.Rows != image {
				t.Errorf("block %d reads %d tokens from %d on, wanted %d from %d on", blocks, m.A.Rows, row, image, text)
			}
		}
	}
	if blocks != len(s.Blocks) {
		t.Errorf("maps of %d blocks, wanted %d", blocks, len(s.Blocks))
	}
}
