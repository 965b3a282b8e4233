package gpu

import (
	"undertone/engine/fault"
	"undertone/engine/op"
)

// buffer is one GPU buffer as the plain-Go half of this package knows it: its
// place in the device's table (where the browser's object lies) and its size.
type buffer struct {
	id    uint32
	bytes int64
	none  bool // there was no memory for it: using it would be an error of its own
}

// noBuffer is the id of a buffer that was destroyed.
const noBuffer = ^uint32(0)

// handle is what op.Storage.Handle holds on the GPU: the buffers of the storage,
// addressed by Binding.Part. Activations have one, weights as many as weightParts
// tells.
type handle interface{ buffers() []*buffer }

// single is the handle of storage that is one buffer.
type single struct{ *buffer }

func (s single) buffers() []*buffer { return []*buffer{s.buffer} }

// bufferOf finds the buffer behind a binding; nil if the storage has none (it was
// freed, belongs to another device, or has fewer parts).
func bufferOf(s *op.Storage, part int) *buffer {
	h, ok := s.Handle.(handle)
	if !ok {
		return nil
	}
	bs := h.buffers()
	if part < 0 || part >= len(bs) {
		return nil
	}
	return bs[part]
}

// use finds a buffer that work may name. Errors: fault.Closed if the storage has
// none, fault.OutOfMemory if it got no memory.
func use(s *op.Storage, part int) (*buffer, error) {
	b := bufferOf(s, part)
	switch {
	case b == nil:
		return nil, fault.New(fault.Closed, "%s (part %d) was freed or belongs to another device", s.Name, part)
	case b.none:
		return nil, outOfMemory(s.Name, b.bytes)
	}
	return b, nil
}

func outOfMemory(name string, bytes int64) error {
	return fault.New(fault.OutOfMemory, "the GPU has no memory for %s (%d bytes)", name, bytes)
}

// storageBytes is the size of a storage's one buffer: what it holds, rounded up
// to the 16 bytes that a vec4 load touches.
func storageBytes(s *op.Storage) int64 {
	elems, bytes := s.DType.Block()
	n := int64(s.Elems/elems) * int64(bytes)
	return max(16, (n+15)/16*16)
}
