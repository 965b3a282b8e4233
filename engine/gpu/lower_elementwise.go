package gpu

import (
	"fmt"
	"math"

	"undertone/engine/op"
)

// constants is a prelude in the making, one line per constant.
type constants string

// u32 adds name = value.
func (c *constants) u32(name string, value int) {
	*c += constants(fmt.Sprintf("const %s: u32 = %du;\n", name, value))
}

// flag adds name = value.
func (c *constants) flag(name string, value bool) {
	*c += constants(fmt.Sprintf("const %s: bool = %t;\n", name, value))
}

// words joins the members of a uniform block: ints, float32s and views, which
// are two words, offset and stride in vec4s.
func words(members ...any) []uint32 {
	var w []uint32
	for _, m := range members {
		switch m := m.(type) {
		case int:
			w = append(w, uint32(m))
		case float32:
			w = append(w, math.Float32bits(m))
		case *op.Tensor:
			w = append(w, uint32(m.Offset/4), uint32(m.Stride/4))
		default:
			panic(fmt.Sprintf("gpu: %T in a uniform block", m))
		}
	}
	return w
}

// fold spreads n units of work over workgroups of per units, in two dimensions
// where one would not take them (see place in shaders/lib/place.wgsl).
func fold(n, per int) [3]int {
	x := max(1, op.CeilDiv(n, per))
	y := op.CeilDiv(x, maxGroups)
	return [3]int{op.CeilDiv(x, y), y, 1}
}

// threads is the workgroup of the kernels that give each thread a vec4.
const threads = 64

// mapped is the launch of a kernel whose threads each write four columns of out.
// operand, if not nil, is read through lib/operand.wgsl at the last binding, or
// through lib/operand_in_place.wgsl where it is the output itself.
func mapped(file string, libs []string, c constants, out, operand *op.Tensor, others []*op.Tensor, params []uint32) Launch {
	l := Launch{
		Bind:   []Binding{{Storage: out.Storage, Write: true}},
		Params: params,
		Groups: fold(out.Rows*quads(out.Cols), threads),
	}
	for _, t := range others {
		l.Bind = append(l.Bind, Binding{Storage: t.Storage})
	}
	libs = append([]string{"store", "place"}, libs...)
	if operand != nil {
		libs = append(libs, l.bindOperand(&c, operand, out))
	}
	c.u32("WORKGROUP", threads)
	l.Kernel = Kernel{File: file, Libs: libs, Prelude: string(c)}
	return l
}

// bindOperand binds a tensor that may be the output, or absent, as the last
// binding and returns the library through which the kernel reads it.
func (l *Launch) bindOperand(c *constants, t, out *op.Tensor) (lib string) {
	switch {
	case t == nil:
		return "operand_none"
	case t.Same(out):
		return "operand_in_place"
	}
	l.Bind = append(l.Bind, Binding{Storage: t.Storage})
	c.u32("OPERAND", len(l.Bind))
	return "operand"
}

func lowerActivation(n *op.ActivationOp, _ Caps) []Launch {
	return activationLaunch(n.X, n.Out, n.Act)
}

// lowerCopied copies with the activation that does nothing.
func lowerCopied(n *op.CopyOp, _ Caps) []Launch {
	if n.X.Same(n.Out) {
		return nil
	}
	return activationLaunch(n.X, n.Out, op.None)
}

func activationLaunch(x, out *op.Tensor, act op.Act) []Launch {
	var c constants
	c.u32("ACT", int(act))
	return []Launch{mapped("activation", []string{"activation"}, c, out, x, nil, words(out.Rows, out.Cols, out, x))}
}

func lowerAdd(n *op.AddOp, _ Caps) []Launch {
	a, b, out := n.A, n.B, n.Out
	return []Launch{mapped("add", nil, "", out, a, []*op.Tensor{b}, words(out.Rows, out.Cols, out, b, a))}
}

func lowerCFG(n *op.CFGOp, _ Caps) []Launch {
	cond, uncond, out := n.Cond, n.Uncond, n.Out
	return []Launch{mapped("cfg", nil, "", out, cond, []*op.Tensor{uncond}, words(out.Rows, out.Cols, out, uncond, cond, n.Scale))}
}

func lowerEuler(n *op.EulerOp, _ Caps) []Launch {
	v, dt, x := n.V, n.DT, n.X
	return []Launch{mapped("euler", nil, "", x, v, []*op.Tensor{dt}, words(x.Rows, x.Cols, x, dt.Offset/4, v))}
}

func lowerGated(n *op.GatedOp, _ Caps) []Launch {
	var c constants
	c.u32("ACT", int(n.Act))
	listAt := 0
	if n.Counted.List != nil {
		listAt = n.Counted.List.Offset
	}
	return eachOf(n.Counted, "gated", []string{"activation"}, c, n.Out, n.A, []*op.Tensor{n.B}, words(n.Out.Rows, n.Out.Cols, n.Out, n.B, n.A, listAt))
}

func lowerRotary(n *op.RotaryOp, _ Caps) []Launch {
	x, t := n.X, n.Table
	var c constants
	c.u32("WORKGROUP", threads)
	c.flag("HALF", n.Half)
	return []Launch{{
		Kernel: Kernel{File: "rotary", Libs: []string{"place"}, Prelude: string(c)},
		Bind:   []Binding{{Storage: x.Storage, Write: true}, {Storage: t.Storage}},
		Params: words(x.Rows, x.Cols/n.HeadDim, n.HeadDim, x.Offset, x.Stride, t.Offset, t.Stride),
		Groups: fold(x.Rows*x.Cols/4, threads),
	}}
}
