package gpu

import "undertone/engine/op"

// buffer is one GPU buffer as the plain-Go half of this package knows it: its
// place in the device's table (where the browser's object lies) and its size.
type buffer struct {
	id    uint32
	bytes int64
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

// storageBytes is the size of a storage's one buffer: what it holds, rounded up
// to the 16 bytes that a vec4 load touches.
func storageBytes(s *op.Storage) int64 {
	elems, bytes := s.DType.Block()
	n := int64(s.Elems/elems) * int64(bytes)
	return max(16, (n+15)/16*16)
}
