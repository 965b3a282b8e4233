package op

// Conv3x3Op is out = act(conv(x) + bias + residual), 3×3, stride 1, zero padding 1.
type Conv3x3Op struct {
	X, Weight, Bias, Residual *Tensor // [H·W, Cin], [Cout, Cin·9], [1, Cout] or nil, [H·W, Cout] or nil
	Height, Width             int
	Act                       Act
	Out                       *Tensor // [H·W, Cout]

	// With Halved 1, x has half of the height and width and is read as Upsample would make it, without the
	// first Skip lines of that. Backends that put the two into one set this; no list is recorded so.
	Halved, Skip int
}

func (n *Conv3x3Op) Kind() Kind        { return Conv3x3 }
func (n *Conv3x3Op) Output() *Tensor   { return n.Out }
func (n *Conv3x3Op) Inputs() []*Tensor { return []*Tensor{n.X, n.Weight, n.Bias, n.Residual} }

// UpsampleOp doubles height and width by repeating pixels.
type UpsampleOp struct {
	X             *Tensor // [H·W, C]
	Height, Width int     // of x
	Out           *Tensor // [4·H·W, C]
}

func (n *UpsampleOp) Kind() Kind        { return Upsample }
func (n *UpsampleOp) Output() *Tensor   { return n.Out }
func (n *UpsampleOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// PatchifyOp is image → tokens, UnpatchifyOp its inverse.
type PatchifyOp struct {
	Pixels, Tokens *Tensor // [H·W, C], [(H/p)·(W/p), C·p·p]
	Height, Width  int     // of the image
	Patch          int
	ChannelLast    bool // the channels of a token run over the image's channels first
}

func (n *PatchifyOp) Kind() Kind        { return Patchify }
func (n *PatchifyOp) Output() *Tensor   { return n.Tokens }
func (n *PatchifyOp) Inputs() []*Tensor { return []*Tensor{n.Pixels} }

// UnpatchifyOp is tokens → image, the inverse of PatchifyOp.
type UnpatchifyOp struct {
	Tokens, Pixels *Tensor
	Height, Width  int
	Patch          int
	ChannelLast    bool
}

func (n *UnpatchifyOp) Kind() Kind        { return Unpatchify }
func (n *UnpatchifyOp) Output() *Tensor   { return n.Pixels }
func (n *UnpatchifyOp) Inputs() []*Tensor { return []*Tensor{n.Tokens} }

// ToRGBAOp packs three channels and an alpha into one U32 per pixel.
type ToRGBAOp struct {
	X           *Tensor // [H·W, 3]
	Scale, Bias float32
	Out         *Tensor // [1, H·W] U32
}

func (n *ToRGBAOp) Kind() Kind        { return ToRGBA }
func (n *ToRGBAOp) Output() *Tensor   { return n.Out }
func (n *ToRGBAOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// Conv3x3 records a 3×3 convolution, stride 1, zero padding 1, channels last:
//
//	out = act(conv(x) + bias + residual)      x [H·W, Cin], w [Cout, Cin·9] (Use: UseConv3x3), bias [1, Cout] or nil
//
// residual is [H·W, Cout], Out itself, other storage, or nil.
func (l *List) Conv3x3(x *Tensor, h, w int, weight, bias, residual *Tensor, act Act, out *Tensor) *Tensor {
	if h*w != x.Rows || weight.Cols != 9*x.Cols {
		l.fail(Conv3x3, "x %s as %d×%d pixels, weight %s", x, h, w, weight)
	}
	l.vector(Conv3x3, "bias", bias, weight.Rows)
	if residual != nil && (residual.Rows != x.Rows || residual.Cols != weight.Rows) {
		l.fail(Conv3x3, "residual %s, wanted %d×%d", residual, x.Rows, weight.Rows)
	}
	if x.Same(out) {
		l.fail(Conv3x3, "x must not be the output")
	}
	o := l.out(Conv3x3, out, x.Rows, weight.Rows)
	return l.record(&Conv3x3Op{X: x, Weight: weight, Bias: bias, Residual: residual, Height: h, Width: w, Act: act, Out: o})
}

// Upsample records nearest-neighbour doubling: x [H·W, C] → [4·H·W, C], 2H × 2W pixels.
func (l *List) Upsample(x *Tensor, h, w int, out *Tensor) *Tensor {
	if h*w != x.Rows {
		l.fail(Upsample, "x %s as %d×%d pixels", x, h, w)
	}
	o := l.out(Upsample, out, 4*x.Rows, x.Cols)
	return l.record(&UpsampleOp{X: x, Height: h, Width: w, Out: o})
}

// Patchify records image → tokens: x [H·W, C] → [(H/p)·(W/p), C·p·p], token
// channels in the order c, row in patch, column in patch (FLUX), the last running
// fastest, or, with channelLast, row, column, c (what SD3 gives).
func (l *List) Patchify(x *Tensor, h, w, p int, channelLast bool, out *Tensor) *Tensor {
	if p < 1 || h*w != x.Rows || h%p != 0 || w%p != 0 {
		l.fail(Patchify, "x %s as %d×%d pixels in patches of %d", x, h, w, p)
		return x
	}
	o := l.out(Patchify, out, h/p*(w/p), x.Cols*p*p)
	return l.record(&PatchifyOp{Pixels: x, Tokens: o, Height: h, Width: w, Patch: p, ChannelLast: channelLast})
}

// Unpatchify is the inverse of Patchify; h and w are those of the image it makes.
func (l *List) Unpatchify(x *Tensor, h, w, p int, channelLast bool, out *Tensor) *Tensor {
	if p < 1 || h%p != 0 || w%p != 0 || x.Rows*p*p != h*w || x.Cols%(p*p) != 0 {
		l.fail(Unpatchify, "x %s to %d×%d pixels in patches of %d", x, h, w, p)
		return x
	}
	o := l.out(Unpatchify, out, h*w, x.Cols/(p*p))
	return l.record(&UnpatchifyOp{Tokens: x, Pixels: o, Height: h, Width: w, Patch: p, ChannelLast: channelLast})
}

// ToRGBA records x [H·W, 3] → out [1, H·W] U32 (Fixed): red in the lowest byte,
// alpha 255, or 0 where a channel is not finite, each channel
// round(255·clamp(scale·x + bias, 0, 1)), NaN as 0.
func (l *List) ToRGBA(x *Tensor, scale, bias float32, out *Tensor) {
	if x.Cols != 3 || out == nil || out.DType() != U32 || out.Rows != 1 || out.Cols != x.Rows {
		l.fail(ToRGBA, "x %s to %s", x, out)
		return
	}
	l.record(&ToRGBAOp{X: x, Scale: scale, Bias: bias, Out: out})
}
