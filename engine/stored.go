package engine

import (
	"undertone/engine/op"
	"undertone/engine/weights"
)

// stored finds where the bytes of a tensor come from, for its use: the file, or, where
// backends do not take its type for that use, a source that decodes it to F32. Matrices
// keep their type on the way to the backend, unless every row has a scale of its own; all
// others are small. A type that cannot be read is left to Tensor.Readable.
func (u *Uploader) stored(t weights.Tensor, use op.Use, cols int) (op.Source, weights.Tensor, float32, error) {
	if t.Readable() != nil {
		return u.src, t, 0, nil
	}
	scales, err := weights.Scales(u.index, u.src, t)
	if err != nil {
		return nil, t, 0, err
	}
	elems, _ := t.DType.Block()
	direct := use == op.UseMatrix && t.DType != op.F64 && cols%elems == 0 && (scales == nil || len(scales) == 1 && weights.IsFloat8(t.DType))
	if scales == nil {
		switch t.DType {
		case op.F32, op.F16, op.BF16:
			direct = true
		}
	}
	switch {
	case !direct:
		wide := t
		wide.DType, wide.Offset, wide.Bytes = op.F32, 0, 4*t.Elems()
		return weights.Widen(u.src, t, scales), wide, 0, nil
	case scales != nil:
		return u.src, t, scales[0], nil
	}
	return u.src, t, 0, nil
}
