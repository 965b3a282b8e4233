package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// PieceSize is the length of the pieces of a file that are hashed one by one.
const PieceSize = 4 << 20

// hasher hashes a stream in pieces.
type hasher struct {
	piece hash.Hash
	n     int64 // bytes in piece
	file  File
	root  hash.Hash
}

func newHasher() *hasher { return &hasher{piece: sha256.New(), root: sha256.New()} }

func (h *hasher) Write(b []byte) (int, error) {
	written := len(b)
	for len(b) > 0 {
		k := min(int64(len(b)), PieceSize-h.n)
		h.piece.Write(b[:k])
		b, h.n, h.file.Bytes = b[k:], h.n+k, h.file.Bytes+k
		if h.n == PieceSize {
			h.close()
		}
	}
	return written, nil
}

func (h *hasher) close() {
	sum := h.piece.Sum(nil)
	h.root.Write(sum)
	h.file.Pieces = append(h.file.Pieces, hex.EncodeToString(sum))
	h.piece.Reset()
	h.n = 0
}

// describe returns the manifest entry of what was written.
func (h *hasher) describe(role, path string) File {
	if h.n > 0 {
		h.close()
	}
	h.file.Role, h.file.Name, h.file.Path, h.file.SHA256 = role, role, path, hex.EncodeToString(h.root.Sum(nil))
	return h.file
}

// Describe reads a file and makes its manifest entry, whose name is its role.
func Describe(role, path string, r io.Reader) (File, error) {
	h := newHasher()
	if _, err := io.Copy(h, r); err != nil {
		return File{}, err
	}
	return h.describe(role, path), nil
}

func (f *File) checkSize(src op.Source) error {
	switch n := src.Size(); {
	case n < f.Bytes:
		return refuse(Truncated, "%s has %d bytes, model.json says %d", f.Path, n, f.Bytes)
	case n > f.Bytes:
		return refuse(Oversized, "%s has %d bytes, model.json says %d", f.Path, n, f.Bytes)
	}
	return nil
}

// Verify reads the whole file and compares its size and the hash of every piece
// with the manifest (WeightsTruncated, WeightsFormat, WeightsHash naming the
// piece). progress, which may be nil, hears how many bytes were found good.
func (f *File) Verify(ctx context.Context, src op.Source, progress func(done int64)) error {
	if err := f.checkSize(src); err != nil {
		return err
	}
	sum, buf := sha256.New(), make([]byte, min(256<<10, f.Bytes))
	for i, want := range f.Pieces {
		if ctx.Err() != nil {
			return fault.Wrap(ctx.Err(), fault.Aborted, "checking %s was stopped at byte %d", f.Path, int64(i)*PieceSize)
		}
		end := min(int64(i+1)*PieceSize, f.Bytes)
		sum.Reset()
		for off := int64(i) * PieceSize; off < end; off += int64(len(buf)) {
			b := buf[:min(int64(len(buf)), end-off)]
			if err := readFull(src, b, off); err != nil {
				return err
			}
			sum.Write(b)
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			return fault.New(fault.WeightsHash, "piece %d of %d of %s has the SHA-256 %s, model.json says %s", i+1, len(f.Pieces), f.Path, got, want)
		}
		if progress != nil {
			progress(end)
		}
	}
	return nil
}
