package weights

import (
	"encoding/binary"
	"io"
	"math"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// Widen is a source of the tensor's elements as little-endian float32 in row order,
// times the one scale, or times their row's; nil scales change nothing. They are decoded
// as they are read, in small pieces.
func Widen(src op.Source, t Tensor, scales []float32) op.Source {
	if scales == nil {
		scales = []float32{1}
	}
	return widened{src, t, scales, t.Elems() / int64(len(scales))}
}

type widened struct {
	src    op.Source
	t      Tensor
	scales []float32
	run    int64 // elements of one scale
}

func (w widened) Size() int64 { return 4 * w.t.Elems() }

// ReadAt decodes the blocks that bytes [off, off + len(b)) come from.
func (w widened) ReadAt(b []byte, off int64) (done int, err error) {
	const piece = 16384 // elements, a multiple of every block
	elems, size := w.t.DType.Block()
	raw, x, words := make([]byte, piece/elems*size), make([]float32, piece), make([]byte, 4*piece)
	for done < len(b) {
		at := off + int64(done)
		if at >= w.Size() {
			return done, io.EOF
		}
		first := at / 4 / int64(elems) * int64(elems)
		n := min(piece, int64(w.t.Elems())-first)
		if end := (off + int64(len(b)) + 3) / 4; end < first+n {
			n = op.CeilDiv(end-first, int64(elems)) * int64(elems)
		}
		part := raw[:n/int64(elems)*int64(size)]
		if err := readFull(w.src, part, w.t.Offset+first/int64(elems)*int64(size)); err != nil {
			return done, err
		}
		quant.Dequantize(w.t.DType, x[:n], part)
		for i, v := range x[:n] {
			scale := w.scales[(first+int64(i))/w.run]
			binary.LittleEndian.PutUint32(words[4*i:], math.Float32bits(float32(v*scale)))
		}
		done += copy(b[done:], words[at-4*first:4*n])
	}
	return done, nil
}
