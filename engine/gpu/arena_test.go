package gpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

// chain makes n launches in which each reads the temporary of the one before it.
func chain(n int, elems func(i int) int) []step {
	var steps []step
	var prev *op.Storage
	for i := range n {
		out := op.NewStorage(fmt.Sprint(i), op.Temp, op.F32, 1, elems(i)).Storage
		s := step{Launch: Launch{Bind: []Binding{{Storage: out, Write: true}}}}
		if prev != nil {
			s.Bind = append(s.Bind, Binding{Storage: prev})
		}
		steps, prev = append(steps, s), out
	}
	return steps
}

func TestArenaReuse(t *testing.T) {
	a := planArena(chain(50, func(int) int { return 1024 }))
	if len(a.sizes) != 2 || a.bytes() != 2*4096 {
		t.Errorf("a chain of 50 lies in %d buffers of %d bytes together, want 2 of 8192", len(a.sizes), a.bytes())
	}
	// A small temporary must not take the large buffer while a small one is free,
	// and a free buffer grows before a new one is made.
	a = planArena(chain(50, func(i int) int { return 16 + i%2*1008 }))
	if len(a.sizes) != 2 || a.bytes() != 64+4096 {
		t.Errorf("alternating sizes lie in %v, want 64 and 4096 bytes", a.sizes)
	}
	a = planArena(chain(10, func(i int) int { return 64 * (i + 1) }))
	if len(a.sizes) != 2 {
		t.Errorf("growing sizes lie in %v, want two buffers", a.sizes)
	}
}

// TestArenaNeverSharesLive draws random programs and checks, launch by launch,
// that no two storages that are still needed lie in one buffer.
func TestArenaNeverSharesLive(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		temps := make([]*op.Storage, 1+rng.IntN(12))
		for i := range temps {
			temps[i] = op.NewStorage(fmt.Sprint(i), op.Temp, op.F32, 1+rng.IntN(9), 1+rng.IntN(99)).Storage
		}
		fixed := op.NewStorage("fixed", op.Fixed, op.F32, 1, 4).Storage
		var steps []step
		first, last := map[*op.Storage]int{}, map[*op.Storage]int{}
		for i := range 1 + rng.IntN(30) {
			s := step{Launch: Launch{Bind: []Binding{{Storage: fixed}}}}
			for _, j := range rng.Perm(len(temps))[:rng.IntN(len(temps)+1)] {
				s.Bind = append(s.Bind, Binding{Storage: temps[j], Write: rng.IntN(2) == 0})
				if _, seen := first[temps[j]]; !seen {
					first[temps[j]] = i
				}
				last[temps[j]] = i
			}
			steps = append(steps, s)
		}
		a := planArena(steps)
		if len(a.place) != len(first) {
			t.Fatalf("%d storages placed, want %d", len(a.place), len(first))
		}
		for s, at := range a.place {
			if a.sizes[at] < storageBytes(s) {
				t.Fatalf("%s of %d bytes lies in a buffer of %d", s.Name, storageBytes(s), a.sizes[at])
			}
			for o, there := range a.place {
				if o != s && at == there && first[s] <= last[o] && first[o] <= last[s] {
					t.Fatalf("launches %d to %d and %d to %d share buffer %d", first[s], last[s], first[o], last[o], at)
				}
			}
		}
	}
}
