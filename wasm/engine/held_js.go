package main

import "slices"

// maxHeld is how many bytes of pieces stay in memory that the store does not have, of all
// files of a model together. A tab has no room for models of some gigabytes: those are not
// downloaded before they are needed, and what has left is fetched again.
const maxHeld = 128 << 20

// readAhead is how many pieces are fetched at once of a model that passes through.
const readAhead = 4

// held are the pieces that are in memory only, the one used last the last.
type held struct {
	pieces []heldPiece
	bytes  int64
}

type heldPiece struct {
	source *listed
	i      int
}

// add notes a piece, and gives up those used longest ago that there is no room for. Of a
// file that its server only sends as a whole, everything stays.
func (h *held) add(s *listed, i int) {
	h.pieces = append(h.pieces, heldPiece{s, i})
	h.bytes += pieceLength(s.file, i)
	h.pieces = slices.DeleteFunc(h.pieces, func(p heldPiece) bool {
		if h.bytes <= maxHeld || p.source.whole || p == (heldPiece{s, i}) {
			return false
		}
		h.bytes -= pieceLength(p.source.file, p.i)
		p.source.drop(p.i)
		return true
	})
}

// use notes that a piece was read.
func (h *held) use(s *listed, i int) {
	if at := slices.Index(h.pieces, heldPiece{s, i}); at >= 0 {
		h.pieces = append(slices.Delete(h.pieces, at, at+1), heldPiece{s, i})
	}
}
