package main

import (
	"io"
	"sync"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// pieces are those of a file, each weights.PieceSize long but for the last.
type pieces interface {
	// length is the file's in bytes.
	length() int64
	// piece is good until the next call of any file of the model.
	piece(i int) (js.Value, error)
}

// source gives the bytes of a file as Uint8Arrays or copied into Go's memory. It
// implements op.PieceSource: what a GPU needs is handed over without passing through Go's
// memory, which in WebAssembly never shrinks.
type source struct {
	pieces
	window *window
}

func (s source) Size() int64 { return s.length() }

// ReadAt copies into Go memory, for headers and for the CPU device. Errors: io.EOF,
// and those of Piece.
func (s source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	done := 0
	err := s.each(off, min(int64(len(p)), s.length()-off), func(part js.Value) {
		done += js.CopyBytesToGo(p[done:], part)
	})
	if err == nil && done < len(p) {
		err = io.EOF
	}
	return done, err
}

// Piece returns bytes [off, off+n) as a js.Value holding a Uint8Array, which is good
// until the next call to any source of the model: a view where they lie within one
// piece, a copy where they do not. Errors: io.ErrUnexpectedEOF, fault.Aborted, and those
// of the pieces.
func (s source) Piece(off, n int64) (any, error) {
	if off < 0 || n < 0 || off+n > s.length() {
		return nil, io.ErrUnexpectedEOF
	}
	if off/weights.PieceSize == (off+n-1)/weights.PieceSize {
		var view js.Value
		err := s.each(off, n, func(part js.Value) { view = part })
		return view, err
	}
	whole, at := s.window.room(n), 0
	err := s.each(off, n, func(part js.Value) {
		whole.Call("set", part, at)
		at += part.Length()
	})
	return whole, err
}

// each calls f with views that together are bytes [off, off+n), one after the other:
// a view may be gone when f is called with the next.
func (s source) each(off, n int64, f func(part js.Value)) error {
	for n > 0 {
		i, from := int(off/weights.PieceSize), off%weights.PieceSize
		to := min(from+n, weights.PieceSize)
		piece, err := s.piece(i)
		if err != nil {
			return err
		}
		f(piece.Call("subarray", from, to))
		off, n = off+to-from, n-(to-from)
	}
	return nil
}

// listed are the pieces of a file that a model.json lists, with their hashes. Those that
// the store has are read from it when they are asked for, and verified each time, so that
// a model of any size leaves no copy of itself in the tab. Those that it did not take stay
// in memory as far as there is room (see held), and are else fetched again.
type listed struct {
	file   *weights.File
	site   *site
	held   []js.Value // pieces that are in memory only
	stored []bool     // pieces that the store has
	whole  bool       // the server sends the file as a whole, and no part of it
	// renew gets piece i, and others that the store has lost.
	renew func(i int) error
}

func newListed(s *site, f *weights.File) *listed {
	return &listed{file: f, site: s, held: make([]js.Value, len(f.Pieces)), stored: make([]bool, len(f.Pieces))}
}

func (s *listed) length() int64 { return s.file.Bytes }

// has tells whether piece i is there, in the store or in memory.
func (s *listed) has(i int) bool { return s.stored[i] || s.held[i].Truthy() }

// hold keeps piece i in memory.
func (s *listed) hold(i int, piece js.Value) {
	s.held[i] = piece
	s.site.held.add(s, i)
}

// drop gives up piece i, which is in memory.
func (s *listed) drop(i int) {
	release(s.held[i])
	s.held[i] = js.Undefined()
}

// piece finds piece i in memory, reads it from the store, or has it fetched. Errors: fault.Aborted, and,
// where a piece cannot be fetched, those of download.
func (s *listed) piece(i int) (js.Value, error) {
	hash := s.file.Pieces[i]
	for try := 1; ; try++ {
		if s.held[i].Truthy() {
			s.site.held.use(s, i)
			return s.held[i], nil
		}
		if piece, ok := s.site.window.get(hash); ok {
			return piece, nil
		}
		ctx := s.site.serving
		if s.stored[i] {
			if piece, ok := s.site.store.read(ctx, hash, pieceLength(s.file, i)); ok {
				s.site.window.put(hash, piece)
				return piece, nil
			}
		}
		if ctx.Err() != nil {
			return js.Undefined(), fault.Wrap(ctx.Err(), fault.Aborted, "stopped while %s was read", s.file.Path)
		}
		if try > 2 {
			return js.Undefined(), fault.New(fault.Fetch, "%s: piece %d of %d was fetched %d times and cannot be read", s.file.Path, i+1, len(s.file.Pieces), try)
		}
		if err := s.renew(i); err != nil {
			return js.Undefined(), err
		}
	}
}

// windowPieces is how many pieces a window keeps.
const windowPieces = 4

// window keeps the pieces of a model that were stored or read last, since weights lie
// next to each other, and the memory in which pieces are put together.
type window struct {
	pieces []windowed // the one used last is the last
	joined js.Value
}

type windowed struct {
	hash  string
	bytes js.Value
}

func (w *window) get(hash string) (js.Value, bool) {
	for i, p := range w.pieces {
		if p.hash == hash {
			w.pieces = append(append(w.pieces[:i:i], w.pieces[i+1:]...), p)
			return p.bytes, true
		}
	}
	return js.Undefined(), false
}

// put takes a piece over, and gives up the one that was used longest ago.
func (w *window) put(hash string, bytes js.Value) {
	if _, ok := w.get(hash); ok {
		release(bytes)
		return
	}
	if len(w.pieces) == windowPieces {
		release(w.pieces[0].bytes)
		w.pieces = w.pieces[1:]
	}
	w.pieces = append(w.pieces, windowed{hash, bytes})
}

// room is n bytes to put pieces together in, which the next call may give again.
func (w *window) room(n int64) js.Value {
	if !w.joined.Truthy() || int64(w.joined.Length()) < n {
		if w.joined.Truthy() {
			release(w.joined)
		}
		w.joined = newBytes(n)
	}
	return w.joined.Call("subarray", 0, n)
}

// clear gives everything up.
func (w *window) clear() {
	for _, p := range w.pieces {
		release(p.bytes)
	}
	if w.joined.Truthy() {
		release(w.joined)
	}
	*w = window{}
}

// nowhere is a port that nobody listens to: what is sent there is dropped.
var nowhere = sync.OnceValue(func() js.Value {
	channel := js.Global().Get("MessageChannel").New()
	channel.Get("port2").Call("close")
	return channel.Get("port1")
})

// release frees the memory of a Uint8Array, all of which is the caller's. Go's
// references keep an object of the browser until Go collects them, which it does by
// what lies in its own memory. Detaching alone does not help: of bytes that the browser has
// made or was given, as by fetch, Blob, digest and writeBuffer, it keeps a reference of its
// own until it collects garbage, of which it does not see these. Sending takes them from it.
// Quirk: detached-memory.
func release(bytes js.Value) {
	nowhere().Call("postMessage", nil, []any{bytes.Get("buffer")})
}

func newBytes(n int64) js.Value { return js.Global().Get("Uint8Array").New(n) }
