package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Uploader uploads the tensors of one weight file as a model asks for them: it is
// the op.Weights of loaders. The first error sticks and is what Err returns.
type Uploader struct {
	ctx      context.Context
	be       op.Backend
	src      op.Source
	index    *weights.Index
	progress func(done int64)
	done     int64
	err      error
}

// NewUploader reads the header of a weight file (see weights.Parse for errors).
func NewUploader(ctx context.Context, be op.Backend, src op.Source) (*Uploader, error) {
	index, err := weights.Parse(src)
	if err != nil {
		return nil, err
	}
	return &Uploader{ctx: ctx, be: be, src: src, index: index, progress: func(int64) {}}, nil
}

// Err is the first error: WeightsMissing where a tensor is absent or of another
// shape, ModelUnsupported where it is of a type that the engine cannot read, or what
// the backend said.
func (u *Uploader) Err() error { return u.err }

// Has reports whether the file has a tensor of this name.
func (u *Uploader) Has(name string) bool {
	_, ok := u.index.Lookup(name)
	return ok
}

// Get uploads a tensor. Vectors are stored with one dimension, matrices and tables
// with two, convolutions with four (OIHW, 3×3). A matrix may also be stored as a
// convolution of one pixel, [out, in, 1, 1], which is the same numbers.
func (u *Uploader) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	if u.err == nil && u.ctx.Err() != nil {
		u.err = fault.Wrap(u.ctx.Err(), fault.Aborted, "loading was stopped")
	}
	if u.err != nil {
		return nil
	}
	t, ok := u.index.Lookup(name)
	if !ok {
		u.err = fault.New(fault.WeightsMissing, "the weight file has no tensor %q", name)
		return nil
	}
	want := []int{rows, cols}
	switch {
	case use == op.UseConv3x3:
		want = []int{rows, cols / 9, 3, 3}
	case use == op.UseVector && rows == 1:
		want = []int{cols}
	}
	shape := t.Shape
	if use == op.UseMatrix && len(shape) == 4 && shape[2] == 1 && shape[3] == 1 {
		shape = shape[:2]
	}
	if fmt.Sprint(shape) != fmt.Sprint(want) {
		u.err = fault.New(fault.WeightsMissing, "tensor %q has the shape %.200s, the model needs %v", name, fmt.Sprint(t.Shape), want)
		return nil
	}
	if u.err = t.Readable(); u.err != nil {
		return nil
	}
	out, err := u.be.Upload(u.ctx, op.WeightSpec{Name: name, Use: use, DType: t.DType, Rows: rows, Cols: cols, Data: u.src, Offset: t.Offset})
	if err != nil {
		u.err = err
		return nil
	}
	u.done += t.Bytes
	u.progress(u.done)
	return out
}

// Constant uploads numbers that are not in the file.
func (u *Uploader) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	if u.err != nil {
		return nil
	}
	out, err := constant(u.ctx, u.be, name, use, rows, cols, values)
	if err != nil {
		u.err = err
	}
	return out
}

func constant(ctx context.Context, be op.Backend, name string, use op.Use, rows, cols int, values []float32) (*op.Tensor, error) {
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return be.Upload(ctx, op.WeightSpec{Name: name, Use: use, DType: op.F32, Rows: rows, Cols: cols, Data: bytes.NewReader(raw)})
}

// precision is the type of the file's largest tensor that can be computed with.
func (u *Uploader) precision() string {
	var best weights.Tensor
	for _, t := range u.index.Tensors {
		if t.Readable() == nil && (t.Elems() > best.Elems() || best.Name == "") {
			best = t
		}
	}
	return best.DType.String()
}
