package engine

import (
	"math"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// stored finds where the bytes of a tensor come from, for its use: the file, or, where
// backends do not take its type for that use, a source that decodes it to F32. Matrices
// keep their type on the way to the backend; all others are small. A type that cannot be
// read is left to Tensor.Readable.
func (u *Uploader) stored(t weights.Tensor, use op.Use, cols int) (op.Source, weights.Tensor, float32, error) {
	if t.Readable() != nil {
		return u.src, t, 0, nil
	}
	scale, err := u.scale(t)
	if err != nil {
		return nil, t, 0, err
	}
	elems, _ := t.DType.Block()
	direct := use == op.UseMatrix && t.DType != op.F64 && cols%elems == 0 && (scale == 1 || float8(t.DType))
	if scale == 1 {
		switch t.DType {
		case op.F32, op.F16, op.BF16:
			direct = true
		}
	}
	if !direct {
		wide := t
		wide.DType, wide.Offset, wide.Bytes = op.F32, 0, 4*t.Elems()
		return weights.Widen(u.src, t, scale), wide, 0, nil
	}
	if !float8(t.DType) {
		scale = 0
	}
	return u.src, t, scale, nil
}

func float8(dt op.DType) bool { return dt == op.F8_E4M3 || dt == op.F8_E5M2 }

// marker is the tensor, by the end of its name, with which ComfyUI's tools mark files
// whose 8-bit floats are to be multiplied by scales of their own.
const marker = "scaled_fp8"

// scale is what every element of a tensor X.weight is to be multiplied by: the one
// element of X.scale_weight or X.weight_scale, where the file has it. Errors:
// WeightsMissing where a marked file has no scales at all, ModelUnsupported where a
// tensor has several, WeightsNotFinite where one is no positive number that float32 can
// multiply the largest 8-bit float with.
func (u *Uploader) scale(t weights.Tensor) (float32, error) {
	layer, ok := strings.CutSuffix(t.Name, "weight")
	if !ok {
		return 1, nil
	}
	for _, name := range []string{layer + "scale_weight", layer + "weight_scale"} {
		s, ok := u.index.Lookup(name)
		if !ok {
			continue
		}
		if err := s.Readable(); err != nil {
			return 0, err
		}
		if n := s.Elems(); n != 1 {
			return 0, fault.New(fault.ModelUnsupported, "tensor %q has %d elements; one scale for all of %q is supported", s.Name, n, t.Name)
		}
		x, err := weights.ReadFloat32(u.src, s)
		if err != nil {
			return 0, err
		}
		if most := math.MaxFloat32 / 57344; !(x[0] > 0 && float64(x[0]) < most) { // 57344 is the largest F8_E5M2
			return 0, fault.New(fault.WeightsNotFinite, "the scale %q is %g, wanted a positive number under %.3g", s.Name, x[0], most)
		}
		return x[0], nil
	}
	if float8(t.DType) && u.marked() && !u.scaled() {
		return 0, fault.New(fault.WeightsMissing, "the weight file is marked as %s, but tensor %q has no scale (%q or %q) and no other tensor has one",
			marker, t.Name, layer+"scale_weight", layer+"weight_scale")
	}
	return 1, nil
}

func (u *Uploader) marked() bool {
	return u.any(func(name string) bool { return name == marker || strings.HasSuffix(name, "."+marker) })
}

func (u *Uploader) scaled() bool {
	return u.any(func(name string) bool {
		return strings.HasSuffix(name, ".scale_weight") || strings.HasSuffix(name, ".weight_scale")
	})
}

func (u *Uploader) any(is func(name string) bool) bool {
	for _, t := range u.index.Tensors {
		if is(t.Name) {
			return true
		}
	}
	return false
}
