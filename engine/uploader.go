package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

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
	return NewIndexUploader(ctx, be, index, src), nil
}

// NewIndexUploader uploads the tensors of an index, whose offsets count in src: the
// names and the order of a published file may be other ones (see engine/checkpoint).
func NewIndexUploader(ctx context.Context, be op.Backend, index *weights.Index, src op.Source) *Uploader {
	return &Uploader{ctx: ctx, be: be, src: src, index: index, progress: func(int64) {}}
}

// Err is the first error: WeightsMissing where a tensor is absent or of another shape,
// ScalesMissing where its scales are absent, ModelUnsupported where it is of a type that the engine cannot read, or
// what the backend said.
func (u *Uploader) Err() error { return u.err }

// Has reports whether the file has a tensor of this name.
func (u *Uploader) Has(name string) bool {
	_, ok := u.index.Lookup(name)
	return ok
}

// Get uploads a tensor. Vectors are stored with one dimension, convolutions with
// four (OIHW, 3×3), matrices and tables with two: batch dimensions of 1 may stand
// before them, and columns may be several dimensions, as where a convolution's
// kernel is as large as its stride, which is a matrix.
func (u *Uploader) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	spec := u.spec(name, use, rows, cols)
	if u.err != nil {
		return nil
	}
	out, err := u.be.Upload(u.ctx, spec)
	if err != nil {
		u.err = err
		return nil
	}
	t, _ := u.index.Lookup(name)
	if use >= op.UseFrame0 {
		t.Bytes /= 3 // each is asked for by itself
	}
	u.done += t.Bytes
	u.progress(u.done)
	return out
}

// spec finds a tensor and checks it.
func (u *Uploader) spec(name string, use op.Use, rows, cols int) (spec op.WeightSpec) {
	if u.err == nil && u.ctx.Err() != nil {
		u.err = fault.Wrap(u.ctx.Err(), fault.Aborted, "loading was stopped")
	}
	if u.err != nil {
		return spec
	}
	t, ok := u.index.Lookup(name)
	if !ok {
		u.err = fault.New(fault.WeightsMissing, "the weight file has no tensor %q", name)
		return spec
	}
	src, t, scale, err := u.stored(t, use, cols)
	if err != nil {
		u.err = err
		return spec
	}
	shape, want, data, offset := t.Shape, []int{rows, cols}, src, t.Offset
	switch {
	case use == op.UseMiddle:
		if shape = flat(shape); t.Readable() == nil {
			if m := newMiddle(src, t, shape, rows, cols); m != nil {
				use, shape, data, offset = op.UseVector, want, m, 0
			}
		}
	case use >= op.UseFrame0:
		want = []int{rows, cols / 9, 3, 3, 3}
		if slices.Equal(shape, []int{rows, cols / 9, 3, 9}) { // as GGUF has it, where there are four dimensions
			shape = want
		}
		if t.Readable() == nil && slices.Equal(shape, want) {
			if elems, _ := t.DType.Block(); elems > 1 {
				u.err = fault.New(fault.ModelUnsupported, "tensor %q, a kernel over frames, is stored in blocks of %d (%s), supported are whole numbers of bytes for each element", name, elems, t.Type)
				return spec
			}
			data, offset = newFrame(src, t, int(use-op.UseFrame0)), 0
		}
		use = op.UseConv3x3
	case use == op.UseConv3x3:
		want = []int{rows, cols / 9, 3, 3}
	case use == op.UseVector && rows == 1:
		want = []int{cols}
		for len(shape) > 1 && shape[len(shape)-1] == 1 { // of a norm over channels of frames
			shape = shape[:len(shape)-1]
		}
	default:
		shape = flat(shape)
	}
	if !slices.Equal(shape, want) {
		u.err = fault.New(fault.WeightsMissing, "tensor %q has the shape %.200s, the model needs %v", name, fmt.Sprint(t.Shape), want)
		return spec
	}
	if u.err = t.Readable(); u.err != nil {
		return spec
	}
	return op.WeightSpec{Name: name, Use: use, DType: t.DType, Rows: rows, Cols: cols, Scale: scale, Data: data, Offset: offset}
}

// middle is the middle of a square table in a file, as if it stood there alone: of the
// table's rows, runs of equal length at equal distances.
type middle struct {
	op.Source
	first, run, every, size int64 // in bytes
}

// newMiddle cuts rows = k² out of a table [n², cols], or returns nil where the table
// is not such a one.
func newMiddle(src op.Source, t weights.Tensor, shape []int, rows, cols int) op.Source {
	if len(shape) != 2 || shape[1] != cols {
		return nil
	}
	n, k := int(math.Sqrt(float64(shape[0]))), int(math.Sqrt(float64(rows)))
	if n*n != shape[0] || k*k != rows || k > n || (n-k)%2 != 0 {
		return nil
	}
	row := t.Bytes / int64(shape[0])
	edge := int64(n-k) / 2
	return middle{src, t.Offset + (edge*int64(n)+edge)*row, int64(k) * row, int64(n) * row, int64(rows) * row}
}

func (m middle) Size() int64 { return m.size }

// Run finds the run that has a byte.
func (m middle) Run(off int64) (op.Source, int64, int64) {
	within := off % m.run
	return m.Source, m.first + off/m.run*m.every + within, m.run - within
}

// ReadAt reads from one run after another.
func (m middle) ReadAt(b []byte, off int64) (int, error) { return weights.ReadRuns(m, b, off) }

// frame is a part of a convolution kernel over three frames, as if it stood there alone: of
// every channel's 27 numbers the 9 of one frame.
type frame struct {
	src               op.Source
	first, run, every int64 // in bytes
	size              int64
}

func newFrame(src op.Source, t weights.Tensor, at int) op.Source {
	run := t.Bytes / t.Elems() * 9
	return frame{src, t.Offset + int64(at)*run, run, 3 * run, t.Bytes / 3}
}

func (f frame) Size() int64 { return f.size }

// ReadAt reads all three frames of the channels that it gives, since what it gives lies in
// runs of 18 bytes.
func (f frame) ReadAt(b []byte, off int64) (done int, err error) {
	const most = 1 << 16 // channels at once
	for done < len(b) && off < f.size {
		channel, within := off/f.run, off%f.run
		n := min(op.CeilDiv(within+int64(len(b)-done), f.run), f.size/f.run-channel, most)
		all := make([]byte, (n-1)*f.every+f.run)
		if _, err := f.src.ReadAt(all, f.first+channel*f.every); err != nil && err != io.EOF {
			return done, err
		}
		for i := range n {
			part := all[i*f.every+within : i*f.every+f.run]
			within = 0
			k := copy(b[done:], part)
			done, off = done+k, off+int64(k)
		}
	}
	if done < len(b) {
		err = io.EOF
	}
	return done, err
}

// flat sees a shape of more than two dimensions as that of a matrix.
func flat(shape []int) []int {
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) < 3 {
		return shape
	}
	cols := 1
	for _, n := range shape[1:] {
		cols *= n
	}
	return []int{shape[0], cols}
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
