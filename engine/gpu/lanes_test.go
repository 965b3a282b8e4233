package gpu

import (
	"slices"
	"testing"

	"undertone/engine/op"
)

// On software adapters threads read for one another where four of them at least run side
// by side; anywhere else no kernel needs subgroups.
func TestShare(t *testing.T) {
	software := PortableFloor
	software.CPU = true
	with := func(c Caps, least int) Caps {
		c.Subgroups, c.SubgroupMin, c.SubgroupMax = true, least, 64
		return c
	}
	l := op.NewList("lanes")
	l.MatMul(op.NewStorage("a", op.Fixed, op.F32, 33, 64), op.NewStorage("w", op.Weight, op.F32, 64, 64), op.Epilogue{})
	l.Attention(op.NewStorage("y", op.Fixed, op.F32, 33, 256), 1, 64, false)
	for _, c := range []struct {
		name string
		caps Caps
		want bool
	}{
		{"four lanes", with(software, 4), true}, {"two lanes", with(software, 2), false},
		{"no subgroups", software, false}, {"a GPU", with(PortableFloor, 32), false},
	} {
		steps, err := lower(l, c.caps)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if got := slices.Contains(s.Kernel.Enables, "subgroups"); got != c.want {
				t.Errorf("%s: %s enables subgroups: %t", c.name, s.Kernel.File, got)
			}
		}
	}
}
