package op

// Window is how a convolution steps over frames, rows and columns, in that order. A
// picture is one frame: Kernel [1, 3, 3], Stride [1, 2, 2].
type Window struct {
	Kernel, Stride [3]int
	Before         [3]int // zeros before the first frame, row and column
	Out            [3]int // size of the result; zeros stand behind the last frame, row and column as needed
}

// Window2D is a window over a picture: kernel × kernel pixels, a stride, zeros above and
// to the left, and a result of h × w pixels.
func Window2D(kernel, stride, before, h, w int) Window {
	return Window{Kernel: [3]int{1, kernel, kernel}, Stride: [3]int{1, stride, stride}, Before: [3]int{0, before, before}, Out: [3]int{1, h, w}}
}

// Positions is the number of rows of the result.
func (w Window) Positions() int { return w.Out[0] * w.Out[1] * w.Out[2] }

// Taps is the number of places that the kernel has.
func (w Window) Taps() int { return w.Kernel[0] * w.Kernel[1] * w.Kernel[2] }

// UnfoldOp writes the neighbourhood of every position of a window as one row, the
// channel first, then the tap, as the weights of a convolution are stored (OIHW, OIDHW).
type UnfoldOp struct {
	X    *Tensor // [F·H·W, C]
	Size [3]int  // F, H, W
	Window
	Out *Tensor // [positions, C·taps]
}

func (n *UnfoldOp) Kind() Kind        { return Unfold }
func (n *UnfoldOp) Output() *Tensor   { return n.Out }
func (n *UnfoldOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// Unfold records x [F·H·W, C] → out [positions, C·taps]: column c·taps + tap of a row is
// channel c at the tap's place, or 0 outside of x.
func (l *List) Unfold(x *Tensor, size [3]int, w Window, out *Tensor) *Tensor {
	ok := size[0]*size[1]*size[2] == x.Rows
	for i := range 3 {
		ok = ok && w.Kernel[i] > 0 && w.Stride[i] > 0 && w.Out[i] > 0 && w.Before[i] >= 0 && w.Before[i] < w.Kernel[i] &&
			(w.Out[i]-1)*w.Stride[i] < size[i]+w.Before[i] // the last window begins within x
	}
	if !ok {
		l.fail(Unfold, "x %s of %d×%d×%d, window %+v", x, size[0], size[1], size[2], w)
		return x
	}
	if x.Same(out) {
		l.fail(Unfold, "x must not be the output")
	}
	o := l.out(Unfold, out, w.Positions(), x.Cols*w.Taps())
	return l.record(&UnfoldOp{X: x, Size: size, Window: w, Out: o})
}

// Conv records a convolution of any kernel and stride over pictures or frames: x
// [F·H·W, Cin] → [positions, Cout], weight [Cout, Cin·taps] (Use: UseMatrix, of any type).
// A kernel of one place is a MatMul of x itself; any other one takes taps times the memory
// of its result, where Conv3x3, for a stride of 1, takes none.
func (l *List) Conv(x *Tensor, size [3]int, w Window, weight *Tensor, e Epilogue) *Tensor {
	one := [3]int{1, 1, 1}
	if w.Kernel == one && w.Stride == one && w.Out == size {
		return l.MatMul(x, weight, e)
	}
	return l.MatMul(l.Unfold(x, size, w, nil), weight, e)
}
