package main

import (
	"io"
	"syscall/js"

	"undertone/engine/weights"
)

// PieceBytes is the size of the pieces in which a file is verified (model.json).
const PieceBytes = weights.PieceSize

// memory holds a file as JavaScript Uint8Arrays of PieceBytes each (the last one
// shorter). It implements op.PieceSource: what a GPU needs is handed over without
// passing through Go's memory, which in WebAssembly never shrinks.
type memory struct {
	pieces []js.Value
	size   int64
}

func (m *memory) Size() int64 { return m.size }

// ReadAt copies into Go memory, for headers and for the CPU device.
func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	done := 0
	m.each(off, min(int64(len(p)), m.size-off), func(part js.Value) {
		done += js.CopyBytesToGo(p[done:], part)
	})
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// Piece returns bytes [off, off+n) as a js.Value holding a Uint8Array: a view
// where they lie within one piece, a copy where they do not.
func (m *memory) Piece(off, n int64) (any, error) {
	if off < 0 || n < 0 || off+n > m.size {
		return nil, io.ErrUnexpectedEOF
	}
	var parts []js.Value
	m.each(off, n, func(part js.Value) { parts = append(parts, part) })
	if len(parts) == 1 {
		return parts[0], nil
	}
	whole := newBytes(n)
	at := 0
	for _, part := range parts {
		whole.Call("set", part, at)
		at += part.Length()
	}
	return whole, nil
}

// each calls f with views that together are bytes [off, off+n).
func (m *memory) each(off, n int64, f func(part js.Value)) {
	for n > 0 {
		i, from := off/PieceBytes, off%PieceBytes
		to := min(from+n, PieceBytes)
		f(m.pieces[i].Call("subarray", from, to))
		off, n = off+to-from, n-(to-from)
	}
}

func newBytes(n int64) js.Value { return js.Global().Get("Uint8Array").New(n) }
