package judge

import (
	"context"
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Config is the network as the object "config" of a judge in model.json says it.
type Config struct {
	Size     int    `json:"size"`     // of the pictures, in pixels
	Side     int    `json:"side"`     // what they are reduced to by the mean of square blocks
	Patch    int    `json:"patch"`    // pixels of a side that become the channels of one place
	Widths   [3]int `json:"widths"`   // channels at Side/Patch, half and a quarter of that
	Places   int    `json:"places"`   // channels whose places are kept apart
	Features int    `json:"features"` // between the picture and the answers
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c Config) Check() error {
	const mostSide, mostWidth = 4096, 4096
	switch {
	case c.Patch < 1 || c.Patch > 16 || c.Side < 1 || c.Side > mostSide || c.Side%(4*c.Patch) != 0:
		return unsupported("a side of %d pixels in patches of %d, wanted a multiple of 4 patches up to %d", c.Side, c.Patch, mostSide)
	case c.Size < c.Side || c.Size > mostSide || c.Size%c.Side != 0:
		return unsupported("pictures of %d pixels reduced to %d, wanted a multiple up to %d", c.Size, c.Side, mostSide)
	}
	for _, n := range append(c.Widths[:], c.Places, c.Features) {
		if n < 1 || n > mostWidth {
			return unsupported("%d channels, supported 1 to %d", n, mostWidth)
		}
	}
	return nil
}

func unsupported(format string, args ...any) error {
	return fault.New(fault.ModelUnsupported, "judge: "+format, args...)
}

// columns is how wide the vector is that the answers are computed from: the features'
// places, means, largest values and seams, and zeros up to whole blocks of quantization.
func (c Config) columns() int {
	const block = 32
	n := c.Side / (4 * c.Patch)
	return op.CeilDiv(n*n*c.Places+2*c.Widths[2]+2*c.Patch, block) * block
}

type layer struct{ w, b *op.Tensor }

// Judge is the network on a machine.
type Judge struct {
	Config
	be               op.Backend
	pixels           *op.Tensor // [Side², 3], 0 … 1 less 0.5
	seen, places     *op.Tensor // [cells, Widths[2]], [cells, Places]
	vector, answers  *op.Tensor // [1, columns], [1, answers]
	runSee, runJudge op.Program
}

// New asks for the weights and compiles the network for so many answers, the values of
// all attributes together. The caller looks for errors of w afterwards, and closes what is
// not nil where there is an error.
func New(ctx context.Context, be op.Backend, c Config, answers int, w op.Weights) (*Judge, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	j := &Judge{Config: c, be: be}
	see, judge := j.load(w, answers)
	if see == nil {
		return j, nil // w has the reason
	}
	n := c.Side / (4 * c.Patch)
	for _, t := range []struct {
		to         **op.Tensor
		rows, cols int
	}{
		{&j.pixels, c.Side * c.Side, 3}, {&j.seen, n * n, c.Widths[2]}, {&j.places, n * n, c.Places},
		{&j.vector, 1, c.columns()}, {&j.answers, 1, answers},
	} {
		var err error
		if *t.to, err = be.New("judge", op.F32, t.rows, t.cols); err != nil {
			return j, err
		}
	}
	l := op.NewList("judge sees")
	see(l)
	var err error
	if j.runSee, err = be.Compile(ctx, l); err != nil {
		return j, err
	}
	l = op.NewList("judge answers")
	judge(l)
	j.runJudge, err = be.Compile(ctx, l)
	return j, err
}

// Close frees the network's tensors and programs; the weights belong to whoever gave them.
func (j *Judge) Close() {
	for _, p := range []op.Program{j.runSee, j.runJudge} {
		if p != nil {
			p.Close()
		}
	}
	j.be.Free(j.pixels, j.seen, j.places, j.vector, j.answers)
}

// load lists the weights and returns what records the two halves of the network; nil
// where a weight is missing.
func (j *Judge) load(w op.Weights, answers int) (see, judge func(*op.List)) {
	missing := false
	take := func(name string, rows, cols int) layer {
		l := layer{w.Get(name+".weight", op.UseMatrix, rows, cols), w.Get(name+".bias", op.UseVector, 1, rows)}
		missing = missing || l.w == nil || l.b == nil
		return l
	}
	const taps = 9
	a, b, c := j.Widths[0], j.Widths[1], j.Widths[2]
	block := func(name string, width int) (three [3]layer) {
		for i := range three {
			three[i] = take(fmt.Sprintf("%s.%d", name, i), width, width*taps)
		}
		return three
	}
	first := take("first", a, 3*j.Patch*j.Patch*taps)
	second, middle := take("second", b, a*taps), block("middle", b)
	third, last := take("third", c, b*taps), block("last", c)
	places := take("places", j.Places, c)
	mix, heads := take("mix", j.Features, j.columns()), take("heads", answers, j.Features)
	if missing {
		return nil, nil
	}
	n := j.Side / j.Patch
	see = func(l *op.List) {
		x := l.Patchify(j.pixels, j.Side, j.Side, j.Patch, false, nil) // [n², 3·patch²]
		x = convolve(l, x, n, 1, first, op.ReLU, nil, nil)             // [n², a]
		x = convolve(l, x, n, 2, second, op.None, nil, nil)            // [n²/4, b]
		x = middleOf(l, x, n/2, middle, nil)
		x = convolve(l, x, n/2, 2, third, op.None, nil, nil) // [n²/16, c]
		x = middleOf(l, x, n/4, last, j.seen)
		l.MatMul(x, places.w, op.Epilogue{Bias: places.b, Out: j.places})
	}
	judge = func(l *op.List) {
		f := l.MatMul(j.vector, mix.w, op.Epilogue{Bias: mix.b, Act: op.ReLU})
		l.MatMul(f, heads.w, op.Epilogue{Bias: heads.b, Out: j.answers})
	}
	return see, judge
}

// convolve records a 3×3 convolution with zero padding over n × n places: x [n², Cin] →
// [(n/stride)², Cout]. The activation comes before the residual.
func convolve(l *op.List, x *op.Tensor, n, stride int, k layer, act op.Act, residual, out *op.Tensor) *op.Tensor {
	w := op.Window2D(3, stride, 1, n/stride, n/stride)
	return l.Conv(x, [3]int{1, n, n}, w, k.w, op.Epilogue{Bias: k.b, Act: act, Residual: residual, Out: out})
}

// middleOf records a residual block, relu(three convolutions of x + x): x [n², C] → [n², C].
func middleOf(l *op.List, x *op.Tensor, n int, k [3]layer, out *op.Tensor) *op.Tensor {
	y := convolve(l, x, n, 1, k[0], op.ReLU, nil, nil)
	y = convolve(l, y, n, 1, k[1], op.ReLU, nil, nil)
	y = convolve(l, y, n, 1, k[2], op.None, x, nil)
	return l.Activation(y, op.ReLU, out)
}

// Logits are the network's answers to a picture of four bytes per pixel (red, green,
// blue, and one that is not read), Size × Size: one number for each value of each
// attribute. Errors: RequestInvalid for another size, and the machine's.
func (j *Judge) Logits(ctx context.Context, rgba []byte) ([]float32, error) {
	if len(rgba) != 4*j.Size*j.Size {
		return nil, fault.New(fault.RequestInvalid, "the judge was given %d bytes, it sees pictures of %d × %d pixels, which have %d", len(rgba), j.Size, j.Size, 4*j.Size*j.Size)
	}
	pixels := j.reduce(rgba)
	if err := j.be.Write(j.pixels, pixels); err != nil {
		return nil, err
	}
	if err := j.runSee.Run(ctx); err != nil {
		return nil, err
	}
	seen, err := j.be.Read(ctx, j.seen)
	if err != nil {
		return nil, err
	}
	places, err := j.be.Read(ctx, j.places)
	if err != nil {
		return nil, err
	}
	if err := j.be.Write(j.vector, j.pool(seen, places, j.seams(pixels))); err != nil {
		return nil, err
	}
	if err := j.runJudge.Run(ctx); err != nil {
		return nil, err
	}
	return j.be.Read(ctx, j.answers)
}
