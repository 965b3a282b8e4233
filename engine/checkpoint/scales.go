package checkpoint

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// scales adds the scales of a weight, where its file has them beside it (see
// weights.Scales), as X.scale_weight beside X.weight. A weight that is the rows of several
// has one for each row: each part's own, as often as the part has rows.
func (b *builder) scales(to string, parts []tensor, swap bool) error {
	layer, ok := strings.CutSuffix(to, "weight")
	if !ok {
		return nil
	}
	found, first := make([]*tensor, len(parts)), (*tensor)(nil)
	for i, p := range parts {
		s, ok := weights.ScaleOf(p.Name, func(name string) (weights.Tensor, bool) {
			t, ok := b.unit.tensors[name]
			return t.Tensor, ok
		})
		if !ok {
			continue
		}
		t := b.unit.tensors[s.Name]
		b.unit.used[s.Name] = true
		if found[i] = &t; first == nil {
			first = &t
		}
	}
	if first == nil {
		return nil
	}
	scale := first.Tensor
	scale.Name, scale.Offset = layer+"scale_weight", b.source.Size()
	switch {
	case scale.Readable() != nil: // whoever reads it says so
	case len(parts) == 1 && (!swap || scale.Elems() == 1):
		b.source.Append(first.file.source, first.Offset, first.Bytes)
	default:
		if err := b.rowScales(&scale, parts, found, swap); err != nil {
			return err
		}
	}
	b.index.Tensors = append(b.index.Tensors, scale)
	return nil
}

// rowScales makes scale one element for each row of all parts.
func (b *builder) rowScales(scale *weights.Tensor, parts []tensor, found []*tensor, swap bool) error {
	elems, size := scale.DType.Block()
	rows := 0
	for i, p := range parts {
		n := p.Shape[0] // of joined and halved weights there are rows
		rows += n
		s := found[i]
		switch {
		case s == nil && scale.DType == op.F32:
			one := bytes.NewReader(binary.LittleEndian.AppendUint32(nil, math.Float32bits(1)))
			b.source.Append(repeated{one, 0, 4, int64(n)}, 0, 4*int64(n))
		case s == nil || s.DType != scale.DType || elems != 1:
			return fault.New(fault.ModelUnsupported, "the scales of %.120q and %.120q are not of one type that has no blocks, as those of one matrix must be", parts[0].Name, p.Name)
		case s.Elems() == 1:
			b.source.Append(repeated{s.file.source, s.Offset, int64(size), int64(n)}, 0, int64(n*size))
		case s.Elems() != int64(n) || len(s.Shape) == 0 || s.Shape[0] != n:
			return fault.New(fault.ModelUnsupported, "tensor %.120q has %d elements; supported are one scale for all of %.120q, or one for each of its %d rows", s.Name, s.Elems(), p.Name, n)
		default:
			half := int64(0)
			if swap {
				half = s.Bytes / 2
			}
			b.source.Append(s.file.source, s.Offset+half, s.Bytes-half)
			b.source.Append(s.file.source, s.Offset, half)
		}
	}
	scale.Shape, scale.Bytes = []int{rows}, int64(rows*size)
	return nil
}

// repeated is an element of a source, several times.
type repeated struct {
	src             op.Source
	at, size, count int64
}

// Size is that of all repetitions.
func (r repeated) Size() int64 { return r.size * r.count }

// ReadAt reads the element and repeats it.
func (r repeated) ReadAt(b []byte, off int64) (int, error) {
	one := make([]byte, r.size)
	if _, err := r.src.ReadAt(one, r.at); err != nil && err != io.EOF {
		return 0, err
	}
	n := min(int64(len(b)), max(0, r.Size()-off))
	for i := range n {
		b[i] = one[(off+i)%r.size]
	}
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// marked refuses 8-bit floats that are marked as scaled and have no scales.
func (u *unit) marked() error {
	for _, name := range u.names {
		prefix, ok := strings.CutSuffix(name, weights.ScaledMarker)
		if !ok || prefix != "" && !strings.HasSuffix(prefix, ".") {
			continue
		}
		err := weights.Marked(shown(u.label), prefix, func(yield func(weights.Tensor) bool) {
			for _, name := range u.names {
				if !yield(u.tensors[name].Tensor) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
