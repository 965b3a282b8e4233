package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// LoadOptions says how to load.
type LoadOptions struct {
	// Progress, if not nil, is called as bytes are checked and uploaded.
	Progress func(Progress)
	// SourceVerifies is set where the bundle's sources compare every piece with
	// its hash themselves, as the browser's do; otherwise Load reads and hashes
	// each file first.
	SourceVerifies bool
}

// Progress tells how far loading is.
type Progress struct {
	Stage string `json:"stage"` // "verify", "upload" or "compile"
	Role  string `json:"role"`  // the file: "dit", "text", "vae" or "tokenizer"
	Done  int64  `json:"done"`  // bytes of this stage, all files together
	Total int64  `json:"total"`
}

// maxTokenizer bounds tokenizer.json in bytes.
const maxTokenizer = 16 << 20

// Load brings a model onto a machine: checks the files, uploads the weights and
// compiles what does not depend on a picture. The engine owns the backend from
// then on; when Load fails, the backend is still the caller's.
func Load(ctx context.Context, be op.Backend, b *weights.Bundle, opt LoadOptions) (*Engine, error) {
	e, err := load(ctx, be, b, opt)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return e, nil
}

func load(ctx context.Context, be op.Backend, b *weights.Bundle, opt LoadOptions) (*Engine, error) {
	if b.Family != "flux" {
		return nil, fault.New(fault.ModelUnsupported, "family %q, supported: flux", b.Family)
	}
	var textConfig text.Config
	var ditConfig dit.Config
	var vaeConfig vae.Config
	for _, c := range []struct {
		raw  []byte
		what string
		into any
	}{{b.Text, "model.json's text", &textConfig}, {b.DiT, "model.json's dit", &ditConfig}, {b.VAE, "model.json's vae", &vaeConfig}} {
		if err := weights.Decode(c.raw, c.what, c.into); err != nil {
			return nil, err
		}
	}
	e := &Engine{be: be, manifest: b.Manifest}
	l := &loading{ctx: ctx, be: be, bundle: b, opt: opt}
	var err error
	if e.tokenizer, err = l.tokenizer(textConfig); err != nil {
		return nil, err
	}
	err = l.component("text", func(u *Uploader) (err error) {
		e.clip, err = text.LoadCLIP(textConfig, u.Get)
		return err
	})
	if err == nil {
		err = l.component("dit", func(u *Uploader) (err error) {
			e.precision = u.precision()
			e.flux, err = dit.Load(ditConfig, u.Get)
			return err
		})
	}
	if err == nil {
		err = l.component("vae", func(u *Uploader) (err error) {
			e.vae, err = vae.Load(vaeConfig, u.Get, u.Constant)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	if err := e.fits(); err != nil {
		return nil, err
	}
	// On a GPU the uploads are only known to be good once they are done.
	if err := be.Sync(ctx); err != nil {
		return nil, err
	}
	l.tell("compile", "dit", 0, 0)
	e.encoder, err = newEncoder(ctx, be, e.tokenizer, e.clip, e.flux, b.MaxSteps)
	return e, err
}

// fits checks that the three networks and the sizes belong together.
func (e *Engine) fits() error {
	if c, f := e.clip.HiddenSize, e.flux; c != f.ContextDim || c != f.VecDim {
		return fault.New(fault.ModelUnsupported, "the text encoder is %d wide, the transformer reads tokens of %d and a vector of %d", c, f.ContextDim, f.VecDim)
	}
	if c, f := e.vae.LatentChannels*dit.Patch*dit.Patch, e.flux.InChannels; c != f {
		return fault.New(fault.ModelUnsupported, "the decoder's latent makes tokens of %d channels, the transformer's have %d", c, f)
	}
	for _, s := range e.manifest.Sizes {
		if step := e.vae.Downscale * dit.Patch; s%step != 0 {
			return fault.New(fault.ModelUnsupported, "size %d is not a multiple of %d", s, step)
		}
	}
	return nil
}

// loading is the state of one Load.
type loading struct {
	ctx    context.Context
	be     op.Backend
	bundle *weights.Bundle
	opt    LoadOptions

	verified, uploaded int64 // bytes of finished files
}

func (l *loading) tell(stage, role string, done, total int64) {
	if l.opt.Progress != nil {
		l.opt.Progress(Progress{stage, role, done, total})
	}
}

// open opens a file and, unless its source does that, compares its hashes.
func (l *loading) open(role string) (op.Source, error) {
	src, f, err := l.bundle.OpenFile(l.ctx, role)
	if err != nil || l.opt.SourceVerifies {
		return src, err
	}
	err = f.Verify(l.ctx, src, func(done int64) { l.tell("verify", role, l.verified+done, l.bundle.Bytes()) })
	if err != nil {
		weights.Close(src)
		return nil, err
	}
	l.verified += f.Bytes
	return src, nil
}

func (l *loading) tokenizer(c text.Config) (*text.Tokenizer, error) {
	src, err := l.open("tokenizer")
	if err != nil {
		return nil, err
	}
	defer weights.Close(src)
	n := src.Size()
	if n > maxTokenizer {
		return nil, fault.New(fault.TokenizerInvalid, "tokenizer.json has %d bytes, at most %d", n, maxTokenizer)
	}
	data, err := io.ReadAll(io.NewSectionReader(src, 0, n))
	if err != nil {
		return nil, fault.Wrap(err, fault.Fetch, "tokenizer.json cannot be read")
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	l.uploaded += n
	return text.NewTokenizer(data, c)
}

// component uploads the weights of one file.
func (l *loading) component(role string, use func(*Uploader) error) error {
	src, err := l.open(role)
	if err != nil {
		return err
	}
	defer weights.Close(src)
	u, err := NewUploader(l.ctx, l.be, src)
	if err != nil {
		return err
	}
	u.progress = func(done int64) { l.tell("upload", role, l.uploaded+done, l.bundle.Bytes()) }
	if err := use(u); err != nil {
		return err
	}
	l.uploaded += src.Size()
	return u.err
}

// Uploader uploads the tensors of one weight file as a model asks for them. The
// first error sticks and is what Err returns.
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

// Get uploads a tensor; it is an op.Get. Vectors are stored with one dimension,
// matrices and tables with two, convolutions with four (OIHW, 3×3).
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
	if fmt.Sprint(t.Shape) != fmt.Sprint(want) {
		u.err = fault.New(fault.WeightsMissing, "tensor %q has the shape %.200v, the model needs %v", name, t.Shape, want)
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
