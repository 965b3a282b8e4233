package gpu

import "undertone/engine/op"

// arena is the plan of where a program's temporaries lie. WebGPU refuses a
// dispatch that binds one buffer both for reading and for writing, whatever the
// offsets, so temporaries share whole buffers and never parts of one.
type arena struct {
	sizes []int64             // bytes of each buffer
	place map[*op.Storage]int // which buffer each temporary lies in
}

// planArena gives every Temp storage a buffer. Two storages share one only if the
// last launch that names the first comes before the first launch that names the
// second. In order of first use, a storage takes the smallest free buffer that
// holds it, else grows the largest free one, else a new one.
func planArena(steps []step) arena {
	last := map[*op.Storage]int{}
	for i, s := range steps {
		for _, b := range s.Bind {
			if b.Storage.Class == op.Temp {
				last[b.Storage] = i
			}
		}
	}
	a := arena{place: map[*op.Storage]int{}}
	var freeAfter []int // the last launch that uses each buffer so far
	for i, s := range steps {
		for _, b := range s.Bind {
			t := b.Storage
			if t.Class != op.Temp {
				continue
			}
			if _, placed := a.place[t]; placed {
				continue
			}
			size := storageBytes(t)
			at := a.choose(freeAfter, i, size)
			if at < 0 {
				at = len(a.sizes)
				a.sizes = append(a.sizes, 0)
				freeAfter = append(freeAfter, 0)
			}
			a.sizes[at] = max(a.sizes[at], size)
			a.place[t] = at
			freeAfter[at] = last[t]
		}
	}
	return a
}

// choose finds the best buffer free at launch i for size bytes, or −1.
func (a *arena) choose(freeAfter []int, i int, size int64) int {
	fits, grows := -1, -1
	for j, s := range a.sizes {
		switch {
		case freeAfter[j] >= i:
		case s >= size && (fits < 0 || s < a.sizes[fits]):
			fits = j
		case s < size && (grows < 0 || s > a.sizes[grows]):
			grows = j
		}
	}
	if fits >= 0 {
		return fits
	}
	return grows
}

// bytes is the memory the arena takes.
func (a *arena) bytes() (n int64) {
	for _, s := range a.sizes {
		n += s
	}
	return n
}
