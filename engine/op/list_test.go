package op

import (
	"testing"

	"undertone/engine/fault"
)

// What the tests make lists of.
func fixed(rows, cols int) *Tensor  { return NewStorage("x", Fixed, F32, rows, cols) }
func weight(rows, cols int) *Tensor { return NewStorage("w", Weight, F32, rows, cols) }

var whole = fixed(6, 16)

// boundaries hold, by name, the last value that can be recorded, and the next one, which
// cannot: a list that no machine can run must not reach one.
var boundaries = map[string]struct{ possible, refused func(l *List) }{
	"attention: head size": {
		func(l *List) { l.Attention(fixed(3, 4*512), 1, 512, false) },
		func(l *List) { l.Attention(fixed(3, 4*516), 1, 516, false) }},
	"attention: steps of four": {
		func(l *List) { l.Attention(fixed(3, 4*8), 1, 4, false) },
		func(l *List) { l.Attention(fixed(3, 4*8), 1, 6, false) }},
	"attention: columns": {
		func(l *List) { l.Attention(fixed(3, 64), 2, 8, false) },
		func(l *List) { l.Attention(fixed(3, 63), 2, 8, false) }},
	"q and k: columns": {
		func(l *List) { l.QKNormRoPE(fixed(3, 32), 2, 8, nil, nil, nil, 1e-6) },
		func(l *List) { l.QKNormRoPE(fixed(3, 31), 2, 8, nil, nil, nil, 1e-6) }},
	"q and k: rows of angles": {
		func(l *List) { l.QKNormRoPE(fixed(3, 32), 2, 8, nil, nil, fixed(3, 8), 1e-6) },
		func(l *List) { l.QKNormRoPE(fixed(3, 32), 2, 8, nil, nil, fixed(4, 8), 1e-6) }},
	"q and k: one norm": {
		func(l *List) { l.QKNormRoPE(fixed(3, 32), 2, 8, fixed(1, 8), fixed(1, 8), nil, 1e-6) },
		func(l *List) { l.QKNormRoPE(fixed(3, 32), 2, 8, fixed(1, 8), nil, nil, 1e-6) }},
	"bias by distance: an odd number of distances": {
		func(l *List) { l.RelativeBias(fixed(2, 7), fixed(8, 4)) },
		func(l *List) { l.RelativeBias(fixed(2, 8), nil) }},
	"bias by distance: rows": {
		func(l *List) { l.RelativeBias(fixed(2, 7), fixed(8, 4)) },
		func(l *List) { l.RelativeBias(fixed(2, 7), fixed(4, 4)) }},
	"matmul: width": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(5, 8), Epilogue{}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(5, 9), Epilogue{}) }},
	"matmul: place of the gap": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{GapAt: 12, GapWidth: 4}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{GapAt: 16, GapWidth: 4}) }},
	"matmul: width of the gap": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{GapWidth: 8}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{GapWidth: 6}) }},
	"matmul: gap and gate": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Gate: fixed(1, 12)}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Gate: fixed(1, 12), GapWidth: 4}) }},
	"matmul: residual": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Residual: fixed(2, 12)}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Residual: fixed(3, 12)}) }},
	"matmul: bias": {
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Bias: fixed(1, 12)}) },
		func(l *List) { l.MatMul(fixed(2, 8), weight(12, 8), Epilogue{Bias: fixed(1, 11)}) }},
	"convolution: pixels": {
		func(l *List) { l.Conv3x3(fixed(12, 2), 3, 4, weight(5, 18), nil, nil, None, nil) },
		func(l *List) { l.Conv3x3(fixed(12, 2), 3, 5, weight(5, 18), nil, nil, None, nil) }},
	"convolution: taps": {
		func(l *List) { l.Conv3x3(fixed(12, 2), 3, 4, weight(5, 18), nil, nil, None, nil) },
		func(l *List) { l.Conv3x3(fixed(12, 2), 3, 4, weight(5, 16), nil, nil, None, nil) }},
	"group moments: whole groups": {
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(2, 12)) },
		func(l *List) { l.GroupMoments(fixed(6, 12), 5, fixed(2, 20)) }},
	"group moments: columns": {
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(2, 12)) },
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(2, 8)) }},
	"group moments: no stretch is empty": {
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(3, 12)) },
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(4, 12)) }},
	"group moments: as many stretches as pixels": {
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(6, 12)) },
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(7, 12)) }},
	"group moments: where to": {
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, fixed(1, 12)) },
		func(l *List) { l.GroupMoments(fixed(6, 12), 3, nil) }},
	"group norm: moments": {
		func(l *List) { l.GroupNorm(fixed(6, 12), fixed(5, 12), fixed(1, 12), fixed(1, 12), 1e-6, None, nil) },
		func(l *List) { l.GroupNorm(fixed(6, 12), fixed(5, 20), fixed(1, 12), fixed(1, 12), 1e-6, None, nil) }},
	"group norm: weight": {
		func(l *List) { l.GroupNorm(fixed(6, 12), fixed(5, 12), fixed(1, 12), fixed(1, 12), 1e-6, None, nil) },
		func(l *List) { l.GroupNorm(fixed(6, 12), fixed(5, 12), nil, fixed(1, 12), 1e-6, None, nil) }},
	"group norm: in place": {
		func(l *List) { l.GroupNorm(whole, fixed(1, 16), fixed(1, 16), fixed(1, 16), 1e-6, None, fixed(6, 16)) },
		func(l *List) { l.GroupNorm(whole, fixed(1, 16), fixed(1, 16), fixed(1, 16), 1e-6, None, whole) }},
	"unfold: begins within the picture": {
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 3, 4}, Window2D(3, 2, 1, 2, 2), nil) },
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 3, 4}, Window2D(3, 2, 1, 3, 2), nil) }},
	"unfold: pixels": {
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 3, 4}, Window2D(1, 1, 0, 3, 4), nil) },
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 4, 4}, Window2D(1, 1, 0, 3, 4), nil) }},
	"unfold: stride": {
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 3, 4}, Window2D(1, 1, 0, 3, 4), nil) },
		func(l *List) { l.Unfold(fixed(12, 2), [3]int{1, 3, 4}, Window2D(1, 0, 0, 3, 4), nil) }},
	"patches: whole ones": {
		func(l *List) { l.Patchify(fixed(12, 2), 2, 6, 2, false, nil) },
		func(l *List) { l.Patchify(fixed(12, 2), 3, 4, 2, false, nil) }},
	"layer norm: in place": {
		func(l *List) { l.LayerNorm(whole, nil, nil, 1e-6, false, fixed(6, 16)) },
		func(l *List) { l.LayerNorm(whole, nil, nil, 1e-6, false, whole) }},
	"a view of the output's storage": {
		func(l *List) { l.Add(whole.Slice(0, 3), fixed(3, 16), whole.Slice(0, 3)) },
		func(l *List) { l.Add(whole.Slice(1, 4), fixed(3, 16), whole.Slice(0, 3)) }},
	"the output's second half": {
		func(l *List) { l.Copy(fixed(6, 8), whole.Columns(0, 8)) },
		func(l *List) { l.Copy(whole.Columns(8, 16), whole.Columns(0, 8)) }},
	"writing to a weight": {
		func(l *List) { l.Copy(weight(2, 8), fixed(2, 8)) },
		func(l *List) { l.Copy(fixed(2, 8), weight(2, 8)) }},
	"shape of the output": {
		func(l *List) { l.Copy(fixed(2, 8), fixed(2, 8)) },
		func(l *List) { l.Copy(fixed(2, 8), fixed(3, 8)) }},
	"no rows": {
		func(l *List) { l.Copy(fixed(1, 8), nil) },
		func(l *List) { l.Copy(fixed(1, 8).Slice(1, 1), nil) }},
}

func TestListRefuses(t *testing.T) {
	for name, c := range boundaries {
		last, no := NewList(name), NewList(name)
		c.possible(last)
		c.refused(no)
		if last.Err() != nil || len(last.Nodes) != 1 {
			t.Errorf("%s: the last that is possible gives %v and %d operations", name, last.Err(), len(last.Nodes))
		}
		if !fault.Is(no.Err(), fault.Shape) || len(no.Nodes) != 0 {
			t.Errorf("%s: the first that is not possible gives %v and %d operations", name, no.Err(), len(no.Nodes))
		}
	}
}

// Views end with their tensor.
func TestViews(t *testing.T) {
	x := NewStorage("x", Fixed, F32, 6, 15) // rows of 16 with their padding
	panics := func(f func()) (did bool) {
		defer func() { did = recover() != nil }()
		f()
		return false
	}
	if v := x.Slice(2, 6).Columns(8, 15); v.Offset != 2*16+8 || v.Stride != 16 || v.Rows != 4 || v.Cols != 7 {
		t.Errorf("%+v", v)
	}
	for name, f := range map[string]func(){
		"a row too many":    func() { x.Slice(2, 7) },
		"a row before":      func() { x.Slice(-1, 3) },
		"rows backwards":    func() { x.Slice(3, 2) },
		"a column too many": func() { x.Columns(8, 16) },
		"a column before":   func() { x.Columns(-4, 3) },
		"columns backwards": func() { x.Columns(8, 4) },
		"between the quads": func() { x.Columns(2, 8) },
		"of quantized rows": func() { NewStorage("w", Weight, Q8_0, 2, 64).Columns(0, 32) },
	} {
		if !panics(f) {
			t.Errorf("%s: taken", name)
		}
	}
}
