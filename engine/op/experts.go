package op

import "math"

// A mixture of experts (arXiv 1701.06538) sends every row of a stream through a few of
// many MLPs. How many rows one gets is known on the machine alone: what depends on it
// reads a list that Route makes, so that nothing has to be read back, and only the rows
// that an expert was chosen for are computed.

// ListHead is how many numbers stand before the entries of a list: the first is how many
// entries there are, the others are 0.
const ListHead = Align

// RouteOp chooses the experts of every row, and lists for every expert the rows that it
// was chosen for, in their order.
type RouteOp struct {
	Logits *Tensor // [n, E]
	Active int     // of the experts, for one row
	// Out is [2·E, ListHead + n]: row 2·e lists the rows of expert e as whole numbers, row
	// 2·e + 1 the probability of each, softmax over all E. Behind the entries are zeros.
	Out *Tensor
}

func (n *RouteOp) Kind() Kind        { return Route }
func (n *RouteOp) Output() *Tensor   { return n.Out }
func (n *RouteOp) Inputs() []*Tensor { return []*Tensor{n.Logits} }

// maxListed is up to which number float32 has all whole ones.
const maxListed = 1 << 24

// Route records the choice of the active experts of highest logit, of equal ones the
// first: logits [n, E] → out [2·E, ListHead + n]. out may be nil.
func (l *List) Route(logits *Tensor, active int, out *Tensor) *Tensor {
	if active < 1 || active > logits.Cols || logits.Rows > maxListed {
		l.fail(Route, "%d active experts, logits %s; supported are 1 to all of them and %d rows", active, logits, maxListed)
	}
	o := l.out(Route, out, 2*logits.Cols, ListHead+logits.Rows)
	return l.record(&RouteOp{Logits: logits, Active: active, Out: o})
}

// GatherOp is out[i] = x[list[i]] for the entries of a list.
type GatherOp struct {
	X       *Tensor // [n, C]
	Counted Counted
	Out     *Tensor // [n, C]
}

func (n *GatherOp) Kind() Kind        { return Gather }
func (n *GatherOp) Output() *Tensor   { return n.Out }
func (n *GatherOp) Inputs() []*Tensor { return []*Tensor{n.X, n.Counted.List} }

// Gather records out[i] = x[list[i]] for the entries of a list that Route made of as many
// rows as x has; the rows of out behind them stay as they are. out may be nil but not x.
func (l *List) Gather(x *Tensor, c Counted, out *Tensor) *Tensor {
	l.counted(Gather, c, x.Rows)
	if x.Same(out) {
		l.fail(Gather, "x must not be the output")
	}
	o := l.out(Gather, out, x.Rows, x.Cols)
	return l.record(&GatherOp{X: x, Counted: c, Out: o})
}

// ScatterAddOp is x[list[i]] += gate ⊙ share[i]·y[i] for the entries of a list.
type ScatterAddOp struct {
	Y       *Tensor // [n, C]
	Counted Counted
	Share   *Tensor // [1, ListHead + n]
	Gate    *Tensor // [1, C] or nil
	X       *Tensor // [n, C]
}

func (n *ScatterAddOp) Kind() Kind        { return ScatterAdd }
func (n *ScatterAddOp) Output() *Tensor   { return n.X }
func (n *ScatterAddOp) Inputs() []*Tensor { return []*Tensor{n.Y, n.Counted.List, n.Share, n.Gate} }

// ScatterAdd records x[list[i]] += gate ⊙ share[i]·y[i] in place, for the entries of a list
// and of the shares below it, both of Route.
func (l *List) ScatterAdd(y *Tensor, c Counted, share, gate, x *Tensor) {
	l.counted(ScatterAdd, c, x.Rows)
	l.vector(ScatterAdd, "share", share, ListHead+x.Rows)
	l.vector(ScatterAdd, "gate", gate, x.Cols)
	if y.Rows != x.Rows || y.Cols != x.Cols || y.Same(x) {
		l.fail(ScatterAdd, "y %s and x %s; y must not be x", y, x)
	}
	l.record(&ScatterAddOp{Y: y, Counted: c, Share: share, Gate: gate, X: x})
}

// Counted says that only the first rows of a result are computed, as many as a list has
// entries.
type Counted struct {
	List *Tensor // [1, ListHead + n] of Route; nil: all rows are computed
	// Share of the rows is expected to count: work is estimated, and handed out, for as many.
	Share float64
}

// Expected is how many of the rows are expected to be computed.
func (c Counted) Expected(rows int) int {
	if c.List == nil {
		return rows
	}
	return max(1, int(math.Ceil(c.Share*float64(rows))))
}

func (l *List) counted(k Kind, c Counted, rows int) {
	l.vector(k, "list", c.List, ListHead+rows)
	if c.List != nil && !(c.Share > 0 && c.Share <= 1) {
		l.fail(k, "%g of the rows are expected to count, supported above 0 up to 1", c.Share)
	}
}
