package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// trial is one operation on the device, and how some of what it computes is computed
// again on the CPU.
type trial struct {
	row
	be    op.Backend
	list  *op.List
	made  []*op.Tensor
	bytes float64
	err   error

	again func(ctx context.Context) (got, want []float32, err error)
}

// fixed makes a tensor of these values on a machine.
func (t *trial) fixed(be op.Backend, name string, rows, cols int, values []float32) *op.Tensor {
	if t.err != nil {
		return nil
	}
	x, err := be.New(name, op.F32, rows, cols)
	if err != nil {
		t.err = err
		return nil
	}
	if be == t.be {
		t.made = append(t.made, x)
	}
	if values != nil {
		t.err = be.Write(x, values)
	}
	return x
}

// weight uploads rows × cols of what source has.
func (t *trial) weight(ctx context.Context, be op.Backend, use op.Use, dt op.DType, rows, cols int, source op.Source) *op.Tensor {
	if t.err != nil {
		return nil
	}
	w, err := be.Upload(ctx, op.WeightSpec{Name: "w", Use: use, DType: dt, Rows: rows, Cols: cols, Data: source})
	if err != nil {
		t.err = err
		return nil
	}
	if be == t.be {
		t.made = append(t.made, w)
	}
	return w
}

// make puts the operation's tensors on the device and records it.
func (t *trial) make(ctx context.Context) error {
	t.list = op.NewList(t.Op)
	switch t.Op {
	case op.MatMul.String():
		t.matMul(ctx)
	case op.Attention.String():
		t.attention()
	case op.Conv3x3.String():
		t.conv(ctx)
	case op.LayerNorm.String(), op.RMSNorm.String():
		t.norm()
	case op.QKNormRoPE.String():
		t.rope()
	case op.GroupNorm.String():
		t.groupNorm()
	default:
		return fmt.Errorf("no measurement of %q", t.Op)
	}
	if t.err != nil {
		return t.err
	}
	if err := t.be.Sync(ctx); err != nil {
		return err
	}
	return t.list.Err()
}

// some are the rows that are computed again.
func some(rows int) []int {
	if rows <= 3 {
		return []int{0, rows / 2, rows - 1}[:rows]
	}
	return []int{0, rows / 2, rows - 1}
}

// gathered puts rows of x [rows, cols] below each other.
func gathered(x []float32, cols int, rows []int) (out []float32) {
	for _, r := range rows {
		out = append(out, x[r*cols:][:cols]...)
	}
	return out
}

// readRows reads rows of a tensor.
func (t *trial) readRows(ctx context.Context, x *op.Tensor, rows []int) (out []float32, err error) {
	for _, r := range rows {
		v, err := t.be.Read(ctx, x.Slice(r, r+1))
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
	}
	return out, nil
}

// onCPU runs a list of one operation on the CPU and reads out.
func (t *trial) onCPU(ctx context.Context, record func(be op.Backend, l *op.List) *op.Tensor) ([]float32, error) {
	be := cpu.New(cpu.Options{})
	defer be.Close()
	l := op.NewList("again")
	out := record(be, l)
	if t.err != nil {
		return nil, t.err
	}
	p, err := be.Compile(ctx, l)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.Run(ctx); err != nil {
		return nil, err
	}
	return be.Read(ctx, out)
}

// check compares with the CPU: the largest difference in root mean squares of the CPU's
// values, and as a share of what the operation's tolerance allows.
func (t *trial) check(ctx context.Context) (maxErr, share float64, err error) {
	got, want, err := t.again(ctx)
	if err != nil {
		return 0, 0, err
	}
	if len(got) != len(want) {
		return 0, 0, fmt.Errorf("%d numbers to compare with %d", len(got), len(want))
	}
	sum := 0.0
	for _, w := range want {
		sum += float64(w) * float64(w)
	}
	scale := math.Sqrt(sum / float64(len(want)))
	tolerance := t.list.Nodes[len(t.list.Nodes)-1].Kind().Tolerance()
	if strings.HasPrefix(t.row.Variant, "f16") || strings.HasPrefix(t.row.Variant, "matrices") {
		tolerance = op.Tolerance{Abs: 10 * op.Rounded(16)} // of a single number
	}
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			return 0, 0, fmt.Errorf("number %d of %d is %g, on the CPU %g", i, len(want), got[i], w)
		}
		maxErr = max(maxErr, d/scale)
		share = max(share, d/(tolerance.Abs*scale+tolerance.Rel*math.Abs(float64(w))))
	}
	return maxErr, share, nil
}

// random are n numbers between −scale and scale.
func random(n int, scale float32, seed uint32) []float32 {
	x := make([]float32, n)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = scale * (float32(seed>>8)/(1<<23) - 1)
	}
	return x
}

// repeated is a file in which a few rows come again and again, so that a large weight
// takes no time to draw and its products can be checked with the few.
type repeated struct {
	rows []byte
	size int64
}

// Size is that of the whole file.
func (r repeated) Size() int64 { return r.size }

// ReadAt reads what lies at off.
func (r repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		n += copy(p[n:], r.rows[(off+int64(n))%int64(len(r.rows)):])
	}
	return n, nil
}

// period is how many rows of a weight are drawn: a prime, so that no tile has the same.
const period = 61

// weights draws rows × cols of a type.
func weights(dt op.DType, rows, cols int) repeated {
	drawn := min(rows, period)
	elems, bytes := dt.Block()
	line := cols / elems * bytes
	raw := make([]byte, drawn*line)
	quant.Quantize(dt, raw, random(drawn*cols, float32(math.Sqrt(3/float64(cols))), 7))
	return repeated{raw, int64(rows) * int64(line)}
}

// dtype finds a type by its name.
func dtype(name string) (op.DType, error) {
	for _, dt := range op.DTypes() {
		if dt.String() == name {
			return dt, nil
		}
	}
	return 0, fmt.Errorf("no type %q", name)
}
