package op

import (
	"fmt"

	"undertone/engine/fault"
)

// Kind names an operation.
type Kind uint8

// The operations, named as the field names them.
const (
	MatMul Kind = iota
	Attention
	LayerNorm
	QKNormRoPE
	Activation
	Add
	CFG
	Euler
	Embedding
	Conv3x3
	Upsample
	Patchify
	Unpatchify
	ToRGBA
	Copied
	kinds
)

var kindNames = [kinds]string{
	"MatMul", "Attention", "LayerNorm", "QKNormRoPE", "Activation", "Add", "CFG", "Euler",
	"Embedding", "Conv3x3", "Upsample", "Patchify", "Unpatchify", "ToRGBA", "Copy",
}

func (k Kind) String() string { return kindNames[k] }

// Kinds returns every operation.
func Kinds() []Kind {
	ks := make([]Kind, kinds)
	for i := range ks {
		ks[i] = Kind(i)
	}
	return ks
}

// Act is an activation function.
type Act uint8

// The activations. GELU is the exact one, x·Φ(x); GELUTanh its tanh
// approximation (FLUX); QuickGELU is x·σ(1.702x) (CLIP); Clamp3 is
// 3·tanh(x/3), the input clamp of TAESD.
const (
	None Act = iota
	ReLU
	SiLU
	GELU
	GELUTanh
	QuickGELU
	Clamp3
	acts
)

var actNames = [acts]string{"none", "relu", "silu", "gelu", "gelu_tanh", "quick_gelu", "clamp3"}

func (a Act) String() string { return actNames[a] }

// ParseAct finds an activation by its name in a model's configuration.
func ParseAct(name string) (Act, error) {
	for i, n := range actNames {
		if n == name {
			return Act(i), nil
		}
	}
	return None, fault.New(fault.ModelUnsupported, "activation %q is not one of %v", name, actNames)
}

// Node is one recorded operation. Which tensors an operation uses, and what they
// mean, is told by the List method that records it.
type Node struct {
	Kind Kind
	// Out is written (and, in QKNormRoPE, Attention and Euler, also read).
	Out *Tensor
	// In holds the inputs in the order of the method's arguments; absent optional
	// inputs are nil.
	In []*Tensor
	// P holds the scalar parameters of the operation.
	P Params
}

// Params are the scalar parameters of all operations; each uses its own few.
type Params struct {
	Act      Act     // MatMul, Activation, Conv3x3
	ActFrom  int     // MatMul: the activation applies to output columns ≥ ActFrom
	GapAt    int     // MatMul: output columns ≥ GapAt …
	GapWidth int     // … are written GapWidth further right
	Heads    int     // Attention, QKNormRoPE
	HeadDim  int     // Attention, QKNormRoPE
	Causal   bool    // Attention
	Eps      float32 // LayerNorm, QKNormRoPE
	OnePlus  bool    // LayerNorm: the weight is 1 + scale
	Scale    float32 // CFG: the guidance scale; ToRGBA: factor; Attention: softmax scale
	Bias     float32 // ToRGBA: offset
	H, W     int     // Conv3x3, Upsample, Patchify, Unpatchify, ToRGBA: input height and width
	Patch    int     // Patchify, Unpatchify
}

// List is a recorded sequence of operations. The first error sticks: later calls
// do nothing, and Err (which Compile asks) returns it, so that model code reads
// like the figure in the paper.
type List struct {
	Name  string
	Nodes []Node
	err   error
	temps int
}

// NewList returns an empty list.
func NewList(name string) *List { return &List{Name: name} }

// Err returns the first error of recording, a *fault.Error, or nil.
func (l *List) Err() error { return l.err }

// Temp describes a temporary tensor of this list.
func (l *List) Temp(rows, cols int) *Tensor {
	l.temps++
	return NewStorage(fmt.Sprintf("%s.t%d", l.Name, l.temps), Temp, F32, rows, cols)
}

func (l *List) fail(k Kind, format string, args ...any) {
	if l.err == nil {
		l.err = fault.New(fault.Shape, "%s, operation %d, %s: %s", l.Name, len(l.Nodes), k, fmt.Sprintf(format, args...))
	}
}

// out returns dst if it has the wanted shape, or a new temporary where dst is nil.
func (l *List) out(k Kind, dst *Tensor, rows, cols int) *Tensor {
	if dst == nil {
		return l.Temp(rows, cols)
	}
	if dst.Rows != rows || dst.Cols != cols {
		l.fail(k, "the output is %d×%d, wanted %d×%d", dst.Rows, dst.Cols, rows, cols)
	}
	if dst.Storage.Class == Weight {
		l.fail(k, "the output %s is a weight", dst)
	}
	return dst
}

// record appends a node after the checks that every operation shares: F32
// activations, and no input that shares memory with the output except in place.
func (l *List) record(n Node) *Tensor {
	if l.err != nil {
		return n.Out
	}
	if n.Out.Rows <= 0 || n.Out.Cols <= 0 {
		l.fail(n.Kind, "the output %s is empty", n.Out)
	}
	for i, in := range n.In {
		if in == nil || in.Same(n.Out) {
			continue
		}
		if in.Storage == n.Out.Storage {
			l.fail(n.Kind, "input %d (%s) and the output are different views of the same storage", i, in)
		}
	}
	if l.err == nil {
		l.Nodes = append(l.Nodes, n)
	}
	return n.Out
}
