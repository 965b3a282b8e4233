package weights

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Files of 8-bit floats have scales beside the weights, for which these have too small a
// range: ComfyUI's tools write X.scale_weight beside X.weight, others X.weight_scale, and
// beside these what the input of the layer would be multiplied by, were it of 8 bits too.
var (
	scaleNames = []string{"scale_weight", "weight_scale"}
	inputNames = []string{"scale_input", "input_scale"}
)

// ScaledMarker is the tensor, by the end of its name, with which ComfyUI's tools mark
// files whose 8-bit floats are to be multiplied by scales of their own.
const ScaledMarker = "scaled_fp8"

// IsFloat8 reports whether a type is one of the 8-bit floats.
func IsFloat8(dt op.DType) bool { return dt == op.F8_E4M3 || dt == op.F8_E5M2 }

// ScaleOf finds the tensor with the scales of a weight (see Scales).
func ScaleOf(weight string, find func(name string) (Tensor, bool)) (Tensor, bool) {
	layer, ok := strings.CutSuffix(weight, "weight")
	for i := 0; ok && i < len(scaleNames); i++ {
		if t, there := find(layer + scaleNames[i]); there {
			return t, true
		}
	}
	return Tensor{}, false
}

// BesideWeight reports whether a tensor is only there for a weight beside it: a scale, or
// the marker.
func (x *Index) BesideWeight(name string) bool {
	if isMarker(name) {
		return true
	}
	for _, list := range [][]string{scaleNames, inputNames} {
		for _, end := range list {
			if layer, ok := strings.CutSuffix(name, "."+end); ok {
				_, ok = x.Lookup(layer + ".weight")
				return ok
			}
		}
	}
	return false
}

func isMarker(name string) bool {
	return name == ScaledMarker || strings.HasSuffix(name, "."+ScaledMarker)
}

// Scales are what the elements of a tensor X.weight are to be multiplied by: the elements
// of X.scale_weight or X.weight_scale, one for all or one for each row; nil where the
// file has neither. Errors: what a scale tensor is stored as (Tensor.Readable),
// ModelUnsupported where it has another number of elements, WeightsNotFinite where one is
// no positive number that float32 can multiply the largest 8-bit float with, and
// ScalesMissing where a file that is marked has none (Marked).
func Scales(x *Index, src op.Source, t Tensor) ([]float32, error) {
	s, ok := ScaleOf(t.Name, x.Lookup)
	if !ok {
		if IsFloat8(t.DType) && strings.HasSuffix(t.Name, "weight") {
			return nil, Marked("the weight file", "", slices.Values(x.Tensors))
		}
		return nil, nil
	}
	if err := s.Readable(); err != nil {
		return nil, err
	}
	if n := s.Elems(); n != 1 && (len(t.Shape) == 0 || len(s.Shape) == 0 || n != int64(t.Shape[0]) || s.Shape[0] != t.Shape[0]) {
		return nil, fault.New(fault.ModelUnsupported, "tensor %q has %d elements, of the shape %s; supported are one scale for all of %q, or one for each of its rows: %s", s.Name, n, short(s.Shape), t.Name, short(t.Shape))
	}
	out, err := ReadFloat32(src, s)
	if err != nil {
		return nil, err
	}
	alike := true
	for i, v := range out {
		if most := math.MaxFloat32 / 57344; !(v > 0 && float64(v) < most) { // 57344 is the largest F8_E5M2
			return nil, fault.New(fault.WeightsNotFinite, "the scale %q is %g, wanted a positive number under %.3g", element(s, i), v, most)
		}
		alike = alike && v == out[0]
	}
	if alike {
		out = out[:1]
	}
	return out, nil
}

// element names an element of a tensor that may have one.
func element(t Tensor, i int) string {
	if t.Elems() == 1 {
		return t.Name
	}
	return fmt.Sprintf("%s[%d]", t.Name, i)
}

// Marked refuses 8-bit floats under a prefix of names that are marked as scaled, when
// nothing under that prefix has a scale (ScalesMissing): without its scales such a file
// gives noise. The tensors are those of the file that is named.
func Marked(file, prefix string, tensors iter.Seq[Tensor]) error {
	marker, weight := "", ""
	for t := range tensors {
		name, ok := strings.CutPrefix(t.Name, prefix)
		if !ok {
			continue
		}
		for _, end := range scaleNames {
			if strings.HasSuffix(name, "."+end) {
				return nil
			}
		}
		switch {
		case isMarker(name):
			marker = t.Name
		case weight == "" && IsFloat8(t.DType) && strings.HasSuffix(name, ".weight"):
			weight = t.Name
		}
	}
	if marker == "" || weight == "" {
		return nil
	}
	layer := strings.TrimSuffix(weight, "weight")
	return fault.New(fault.ScalesMissing, "%s is marked as scaled by %q, but its scales are absent: %q has neither %q nor %q beside it, and no other tensor has one",
		file, marker, weight, layer+scaleNames[0], layer+scaleNames[1])
}
