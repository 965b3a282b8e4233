package op

import (
	"fmt"

	"undertone/engine/fault"
)

// Node is one recorded operation: a pointer to one of this package's structs, which
// name what they read and write.
type Node interface {
	Kind() Kind
	// Output is what is written; operations in place also read it.
	Output() *Tensor
	// Inputs are what is read besides; absent ones are nil.
	Inputs() []*Tensor
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

// TempBytes is the most bytes of temporaries that are alive at once, and those of
// the largest one: what any backend needs at least.
func (l *List) TempBytes() (most, largest int64) {
	last := map[*Storage]int{}
	each := func(n Node, visit func(*Storage)) {
		for _, t := range append(n.Inputs(), n.Output()) {
			if t != nil && t.Storage.Class == Temp {
				visit(t.Storage)
			}
		}
	}
	for i, n := range l.Nodes {
		each(n, func(s *Storage) { last[s] = i })
	}
	var now int64
	alive := map[*Storage]bool{}
	for i, n := range l.Nodes {
		each(n, func(s *Storage) {
			if !alive[s] {
				alive[s] = true
				now += s.Bytes()
				largest = max(largest, s.Bytes())
			}
		})
		most = max(most, now)
		each(n, func(s *Storage) {
			if alive[s] && last[s] == i {
				alive[s] = false
				now -= s.Bytes()
			}
		})
	}
	return most, largest
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

// record appends a node after the checks that every operation shares: a result
// that is not empty, and no input that shares memory with it except in place.
func (l *List) record(n Node) *Tensor {
	out := n.Output()
	if l.err != nil {
		return out
	}
	if out.Rows <= 0 || out.Cols <= 0 {
		l.fail(n.Kind(), "the output %s is empty", out)
	}
	d, ok := n.(interface{ disjoint() bool })
	free := ok && d.disjoint()
	for i, in := range n.Inputs() {
		if in != nil && !in.Same(out) && in.Storage == out.Storage && !free {
			l.fail(n.Kind(), "input %d (%s) and the output are different views of the same storage", i, in)
		}
	}
	if l.err == nil {
		l.Nodes = append(l.Nodes, n)
	}
	return out
}

func (l *List) vector(k Kind, what string, v *Tensor, n int) {
	if v != nil && (v.Rows != 1 || v.Cols != n || v.DType() != F32) {
		l.fail(k, "%s %s, wanted 1×%d F32", what, v, n)
	}
}
