package ops

import (
	"fmt"
	"slices"
	"strings"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// mm describes a MatMul case; its name is made from what it uses.
type mm struct {
	m, n, k         int
	dt              op.DType
	bias, gate      bool
	act             op.Act
	actFrom         int
	residual        string // "", "other" or "inplace"
	gapAt, gapWidth int
	outliers        bool
	far             bool    // a's mean is 800
	skip            int     // bytes before the weight in its file
	from, to        int     // rows of a larger weight, when to > 0
	small           float64 // the weights' standard deviation, when not 1/√k
	framed          bool
}

func (c mm) name() string {
	s := fmt.Sprintf("%dx%dx%d_%s", c.m, c.n, c.k, strings.ToLower(c.dt.String()))
	add := func(ok bool, what string, args ...any) {
		if ok {
			s += "_" + fmt.Sprintf(what, args...)
		}
	}
	add(c.bias, "bias")
	add(c.act != op.None, "%s", c.act)
	add(c.actFrom != 0, "from%d", c.actFrom)
	add(c.gate, "gate")
	add(c.residual != "", "residual_%s", c.residual)
	add(c.gapWidth != 0, "gap%dat%d", c.gapWidth, c.gapAt)
	add(c.outliers, "outliers")
	add(c.far, "mean800")
	add(c.skip != 0, "skip%d", c.skip)
	add(c.to != 0, "rows%dto%d", c.from, c.to)
	add(c.small != 0, "small")
	add(c.framed, "framed")
	return s
}

func (c mm) build(r *rig) {
	g := normal(1)
	if c.outliers {
		g = outliers(1)
	}
	if c.far {
		g = far
	}
	sigma := c.small
	if sigma == 0 {
		sigma = rsqrt(c.k)
	}
	a := r.in(c.m, c.k, g)
	rows := max(c.n, c.to)
	w := r.weight(op.UseMatrix, c.dt, rows, c.k, c.skip, normal(sigma))
	if c.to != 0 {
		w = w.Slice(c.from, c.to)
	}
	e := op.Epilogue{Act: c.act, ActFrom: c.actFrom, GapAt: c.gapAt, GapWidth: c.gapWidth}
	if c.bias && c.framed {
		e.Bias = r.in(1, c.n, normal(1))
	} else if c.bias {
		e.Bias = r.vector(c.n, normal(1))
	}
	if c.gate {
		e.Gate = r.in(1, c.n, normal(1))
	}
	switch {
	case c.residual == "inplace":
		e.Out = r.inout(c.m, c.n, g)
		e.Residual = e.Out
	case c.gapWidth != 0:
		e.Out = r.room(c.m, c.n+c.gapWidth)
		if c.gapAt > 0 {
			r.check(e.Out.Columns(0, c.gapAt))
		}
		if c.gapAt < c.n {
			r.check(e.Out.Columns(c.gapAt+c.gapWidth, c.n+c.gapWidth))
		}
	default:
		e.Out = r.out(c.m, c.n)
	}
	if c.residual == "other" {
		e.Residual = r.in(c.m, c.n, g)
	}
	r.list.MatMul(a, w, e)
}

// weightTypes are the types a matrix may be stored in: all that hold weights but F64.
var weightTypes = slices.DeleteFunc(quant.Types(), func(dt op.DType) bool { return dt == op.F64 })

// commonTypes are those that MatMul is tried with in all its uses. What the others lie
// in is the same but for scales and minima.
var commonTypes = []op.DType{op.F32, op.F16, op.BF16, op.Q8_0, op.Q4_0}

// everyAct holds every activation but None.
var everyAct = []op.Act{op.ReLU, op.SiLU, op.GELU, op.GELUTanh, op.QuickGELU, op.Clamp3}

func matmulCases() []Case {
	var cs []mm
	for _, dt := range commonTypes {
		cs = append(cs,
			// One row and few rows: text, time and modulation vectors.
			mm{m: 1, n: 256, k: 256, dt: dt, bias: true},
			mm{m: 1, n: 101, k: 96, dt: dt, framed: true},
			mm{m: 2, n: 36, k: 320, dt: dt, bias: true, residual: "inplace", framed: true},
			mm{m: 4, n: 1536, k: 256, dt: dt, bias: true},
			mm{m: 4, n: 129, k: 192, dt: dt, bias: true, act: op.SiLU, framed: true},
			// Few columns, many columns, tails on every side.
			mm{m: 65, n: 3, k: 64, dt: dt, bias: true, framed: true},
			mm{m: 33, n: 127, k: 160, dt: dt, bias: true, framed: true},
			mm{m: 97, n: 65, k: 256, dt: dt, gate: true, bias: true, residual: "inplace", framed: true},
			mm{m: 31, n: 257, k: 32, dt: dt, residual: "other"},
			// FLUX small: qkv, linear1 with its gap, linear2 with gate and residual.
			mm{m: 96, n: 640, k: 256, dt: dt, bias: true},
			mm{m: 32, n: 1792, k: 256, dt: dt, bias: true, act: op.GELUTanh, actFrom: 768, gapAt: 768, gapWidth: 256},
			mm{m: 32, n: 256, k: 1280, dt: dt, bias: true, gate: true, residual: "inplace", outliers: true},
			mm{m: 64, n: 64, k: 256, dt: dt, bias: true, outliers: true},
			// CLIP small.
			mm{m: 32, n: 192, k: 768, dt: dt, bias: true, residual: "inplace"},
			mm{m: 32, n: 768, k: 192, dt: dt, bias: true, act: op.QuickGELU},
			// A part of a weight's rows, and a weight that starts off alignment.
			mm{m: 5, n: 40, k: 64, dt: dt, from: 7, to: 47, bias: true},
			mm{m: 5, n: 35, k: 64, dt: dt, skip: 2},
		)
	}
	// The unquantized types take any K; the quantized ones whole blocks.
	for _, dt := range []op.DType{op.F32, op.F16, op.BF16} {
		cs = append(cs,
			mm{m: 1, n: 1, k: 1, dt: dt, bias: true},
			mm{m: 3, n: 5, k: 7, dt: dt, bias: true, framed: true},
			mm{m: 31, n: 63, k: 127, dt: dt, bias: true, framed: true},
			mm{m: 33, n: 65, k: 129, dt: dt, skip: 6, framed: true},
			mm{m: 17, n: 131, k: 251, dt: dt, act: op.GELU, framed: true},
			mm{m: 7, n: 37, k: 1301, dt: dt, outliers: true},
		)
	}
	// Weights so small that half precision scales (and values) are subnormal.
	for _, dt := range []op.DType{op.F16, op.Q8_0, op.Q4_0} {
		cs = append(cs, mm{m: 8, n: 64, k: 64, dt: dt, small: 1e-5})
	}
	// The other types: few rows, many, and rows that are no multiple of anything.
	for _, dt := range weightTypes[len(commonTypes):] {
		cs = append(cs, mm{m: 3, n: 37, k: 512, dt: dt, bias: true, framed: true}, mm{m: 33, n: 65, k: 256, dt: dt, from: 3, to: 68})
	}
	cs = append(cs, mm{m: 5, n: 9, k: 7, dt: op.F8_E4M3, framed: true}, mm{m: 17, n: 35, k: 29, dt: op.F8_E5M2})
	for i, act := range everyAct {
		dt := commonTypes[i%len(commonTypes)]
		cs = append(cs,
			mm{m: 9, n: 68, k: 32, dt: dt, bias: true, act: act, gate: true, residual: "other", framed: true},
			mm{m: 9, n: 68, k: 32, dt: dt, bias: true, act: act, actFrom: 24})
	}
	cs = append(cs,
		mm{m: 32, n: 33, k: 64, dt: op.F32, gate: true},
		mm{m: 32, n: 33, k: 64, dt: op.F32, gate: true, residual: "other", framed: true},
		mm{m: 32, n: 33, k: 64, dt: op.F32, residual: "inplace", framed: true},
		mm{m: 13, n: 44, k: 32, dt: op.Q8_0, gapAt: 12, gapWidth: 8, framed: true},
		mm{m: 13, n: 44, k: 32, dt: op.Q8_0, bias: true, act: op.ReLU, gapAt: 0, gapWidth: 16, framed: true},
		mm{m: 13, n: 44, k: 32, dt: op.F32, act: op.SiLU, actFrom: 44, gapAt: 44, gapWidth: 4},
		mm{m: 13, n: 47, k: 32, dt: op.F32, bias: true, act: op.SiLU, actFrom: 4, gapAt: 16, gapWidth: 12, framed: true},
		mm{m: 70, n: 72, k: 64, dt: op.Q4_0, bias: true, act: op.GELU, actFrom: 32, gapAt: 32, gapWidth: 20, framed: true},
		mm{m: 128, n: 128, k: 128, dt: op.F32}, mm{m: 127, n: 129, k: 128, dt: op.Q8_0, framed: true},
	)
	// Few outputs and a K so long that it may be divided.
	cs = append(cs,
		mm{m: 65, n: 37, k: 1101, dt: op.F32, bias: true, act: op.GELU, gate: true, residual: "inplace", framed: true},
		mm{m: 33, n: 72, k: 1056, dt: op.Q8_0, bias: true, act: op.SiLU, actFrom: 32, gapAt: 32, gapWidth: 20, framed: true},
		mm{m: 17, n: 40, k: 1026, dt: op.F16, from: 7, to: 47, residual: "other", outliers: true})
	cs = append(cs, mm{m: 33, n: 36, k: 128, dt: op.F32, far: true}, mm{m: 33, n: 36, k: 128, dt: op.Q8_0, far: true})
	cases := make([]Case, 0, len(cs))
	for _, c := range cs {
		cases = append(cases, Case{op.MatMul, c.name(), c.framed, c.build})
	}
	return cases
}
