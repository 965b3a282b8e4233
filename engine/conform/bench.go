package conform

import (
	"context"
	"io"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// fill makes a tensor, with contents where data are given; it is freed with the case. After an error it gives a
// description without memory, so that recording can go on.
func (c *check) fill(name string, rows, cols int, data []float32) *op.Tensor {
	return c.tensor(name, op.F32, rows, cols, func(t *op.Tensor) error {
		if data == nil {
			return nil
		}
		return c.be.Write(t, data)
	})
}

// u32 makes a tensor [1, n] of whole numbers.
func (c *check) u32(name string, values []uint32) *op.Tensor {
	return c.tensor(name, op.U32, 1, len(values), func(t *op.Tensor) error { return c.be.WriteU32(t, values) })
}

func (c *check) tensor(name string, kind op.DType, rows, cols int, write func(t *op.Tensor) error) *op.Tensor {
	if c.err == nil {
		var t *op.Tensor
		if t, c.err = c.be.New(name, kind, rows, cols); c.err == nil {
			c.made = append(c.made, t)
			c.err = write(t)
			return t
		}
	}
	return op.NewStorage(name, op.Fixed, kind, rows, cols)
}

// exec records a list and runs it.
func (c *check) exec(name string, record func(l *op.List)) {
	l := op.NewList(name)
	record(l)
	if c.err != nil {
		return
	}
	var p op.Program
	if p, c.err = c.be.Compile(c.ctx, l); c.err == nil {
		defer p.Close()
		c.err = p.Run(c.ctx)
	}
}

// keep records a copy of a tensor, which lasts.
func (c *check) keep(l *op.List, x *op.Tensor) *op.Tensor {
	return l.Copy(x, c.fill("kept", x.Rows, x.Cols, nil))
}

func (c *check) read(t *op.Tensor) (data []float32) {
	if c.err == nil {
		data, c.err = c.be.Read(c.ctx, t)
	}
	return data
}

func (c *check) free() {
	c.be.Free(c.made...)
	c.made = nil
}

// reader makes the weights of an open file out of it: it gives every tensor the name
// that the loaders ask for.
type reader func(ctx context.Context, be op.Backend, src op.Source) (*engine.Uploader, error)

// network is the weights of one file on the machine, for as long as its tensors are
// needed. It is the op.Weights of loaders.
type network struct {
	*engine.Uploader
	be     op.Backend
	src    source
	made   []*op.Tensor
	beside *network // whose tensors are needed as long; its file may be closed
}

func (r *run) upload(file string, read reader) (*network, error) {
	src, err := weights.OpenFile(file)
	if err != nil {
		return nil, err
	}
	return r.uploadFrom(src, read)
}

// source is a file that is open.
type source interface {
	op.Source
	io.Closer
}

// uploadFrom closes the file with the network.
func (r *run) uploadFrom(src source, read reader) (*network, error) {
	u, err := read(r.ctx, r.be, src)
	if err != nil {
		src.Close()
		return nil, err
	}
	return &network{Uploader: u, be: r.be, src: src}, nil
}

func (n *network) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	t := n.Uploader.Get(name, use, rows, cols)
	n.made = append(n.made, t)
	return t
}

// read reads a tensor's numbers.
func (n *network) read(name string) ([]float32, error) {
	index, err := weights.Parse(n.src)
	if err != nil {
		return nil, err
	}
	t, _ := index.Lookup(name)
	return weights.ReadFloat32(n.src, t)
}

func (n *network) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	t := n.Uploader.Constant(name, use, rows, cols, values)
	n.made = append(n.made, t)
	return t
}

// loaded is what a loader gave, or what went wrong.
func loaded[Part any](n *network, part Part, err error) (Part, error) {
	if err == nil {
		err = n.Err()
	}
	if err == nil && n.beside != nil {
		err = n.beside.Err()
	}
	return part, err
}

func (n *network) close() {
	if n.beside != nil {
		n.be.Free(n.beside.made...)
	}
	n.be.Free(n.made...)
	n.src.Close()
}
