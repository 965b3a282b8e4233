package dit

import (
	"testing"

	"undertone/engine/op"
)

func TestEvenly(t *testing.T) {
	for _, c := range []struct {
		count, elems int
		limit        int64
		want         int
	}{
		{24, 10, 0, 24}, {24, 10, 960, 24}, {24, 10, 959, 12}, {24, 10, 480, 12}, {24, 10, 479, 8}, {24, 10, 40, 1}, {24, 10, 1, 1},
		{7, 1, 16, 4}, {7, 1, 12, 3}, {1, 1 << 30, 4, 1}, {1 << 20, 1 << 14, op.PortableBinding, 2048},
	} {
		if got := evenly(c.count, c.elems, c.limit); got != c.want {
			t.Errorf("%d units of %d elements, %d bytes at most: runs of %d, want %d", c.count, c.elems, c.limit, got, c.want)
		}
	}
}

// The widest networks that were published, with the attention maps that a probe asks for
// and with a reference picture, within what a device without special limits binds at once;
// and the same list as without a limit where the limit is not passed.
func TestWithinTheLimit(t *testing.T) {
	fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
	large, err := LoadSD3(sd35Large, &described{})
	if err != nil {
		t.Fatal(err)
	}
	flux, err := LoadFlux(dev, &described{})
	if err != nil {
		t.Fatal(err)
	}
	for name, record := range map[string]func(l *op.List, limit int64){
		"SD3.5 large with maps": func(l *op.List, limit int64) {
			s := large.Shape()
			p := Pass{Context: fixed("context", 333, s.Vector), Latent: fixed("latent", 4096, 64), Mod: fixed("mod", 1, s.Modulation), Rows: 64, Cols: 64, Limit: limit}
			p.BeforeAttention = large.Maps(l, Maps{Limit: limit, Unit: fixed("unit", 333+4096, s.Vector), Mean: fixed("mean", s.HeadDim, s.Vector), Out: fixed("out", 4096*len(s.Blocks), s.HeadDim)})
			large.Velocity(l, p)
		},
		"FLUX with maps and a reference": func(l *op.List, limit int64) {
			s, rows := flux.Shape(), 512+2*4096
			p := Pass{Context: fixed("context", 512, s.Vector), Latent: fixed("latent", 4096, 64), Reference: fixed("reference", 4096, 64),
				Mod: fixed("mod", 1, s.Modulation), Positions: fixed("rope", rows, s.HeadDim), Limit: limit}
			p.BeforeAttention = flux.Maps(l, Maps{Limit: limit, Reference: 4096, Unit: fixed("unit", rows, s.Vector), Mean: fixed("mean", s.HeadDim, s.Vector), Out: fixed("out", 4096*len(s.Blocks), s.HeadDim)})
			flux.Velocity(l, p)
		},
	} {
		sizes := map[int64]int64{}
		var nodes []int
		for _, limit := range []int64{0, 1 << 40, op.PortableBinding} {
			l := op.NewList("step")
			record(l, limit)
			if l.Err() != nil {
				t.Fatal(l.Err())
			}
			_, sizes[limit] = l.TempBytes()
			nodes = append(nodes, len(l.Nodes))
		}
		t.Logf("%s: %d operations, %d within the limit; the largest tensor has %d MiB, %d", name, nodes[0], nodes[2], sizes[0]>>20, sizes[op.PortableBinding]>>20)
		if nodes[0] != nodes[1] || sizes[0] <= op.PortableBinding || sizes[op.PortableBinding] > op.PortableBinding {
			t.Errorf("%s: %d operations without a limit, %d with one that is not passed; the largest tensors have %v bytes by limit", name, nodes[0], nodes[1], sizes)
		}
	}
}
