package engine

import (
	"context"
	"io"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
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
	// MemoryLimit is how many bytes of weights may be on the machine at once, as the
	// files hold them; 0: no limit. A model of more is not uploaded by Load: weights come
	// when they are needed, again from the bundle, and leave when others need their place.
	MemoryLimit int64
}

// Progress tells how far loading is.
type Progress struct {
	Stage string `json:"stage"` // "verify", "upload" or "compile"
	Role  string `json:"role"`  // the name of the file, as "dit"
	Done  int64  `json:"done"`  // bytes of this stage, all files together
	Total int64  `json:"total"`
}

// maxTokenizer bounds a file of a tokenizer in bytes.
const maxTokenizer = 32 << 20

// Load brings a model onto a machine: checks the files, uploads the weights and
// compiles what does not depend on a picture. A machine without the memory for all weights
// gets none yet, but each when it is needed. The engine owns the backend from
// then on; when Load fails, the backend is still the caller's.
func Load(ctx context.Context, be op.Backend, b *weights.Bundle, opt LoadOptions) (*Engine, error) {
	e, err := loadOnce(ctx, be, b, opt)
	if fault.Is(err, fault.OutOfMemory) && opt.MemoryLimit != oneProgram {
		opt.MemoryLimit = oneProgram
		e, err = loadOnce(ctx, be, b, opt)
	}
	if err != nil {
		return nil, explain(ctx, err)
	}
	return e, nil
}

// loadOnce leaves nothing on the machine when it fails.
func loadOnce(ctx context.Context, be op.Backend, b *weights.Bundle, opt LoadOptions) (*Engine, error) {
	if err := Supports(&b.Manifest); err != nil {
		return nil, err
	}
	r := &residency{Backend: be, bundle: b, limit: opt.MemoryLimit, known: map[*op.Storage]*resident{}, fixed: map[*op.Tensor]bool{}, made: map[*program]bool{}}
	r.lazy = r.limit > 0 && b.Bytes() > r.limit
	e, err := load(ctx, r, b, opt)
	if err != nil {
		r.clear()
	}
	return e, err
}

func load(ctx context.Context, r *residency, b *weights.Bundle, opt LoadOptions) (*Engine, error) {
	e := &Engine{be: r, residency: r, manifest: b.Manifest, options: opt}
	l := &loading{ctx: ctx, be: r, bundle: b, opt: opt, total: b.Bytes()}
	var readers []*reader
	for _, c := range b.Components {
		var err error
		switch c.Role {
		case weights.RoleText:
			var r *reader
			if r, err = l.reader(c); err == nil {
				readers = append(readers, r)
			}
		case weights.RoleTransformer:
			e.transformer, e.precision, err = upload(l, transformers, c)
		case weights.RoleDecoder:
			e.decoder, _, err = upload(l, decoders, c)
		}
		if err != nil {
			return nil, err
		}
	}
	reading, err := e.fit(readers)
	if err != nil {
		return nil, err
	}
	// On a GPU the uploads are only known to be good once they are done.
	if err := r.Sync(ctx); err != nil {
		return nil, err
	}
	l.tell("compile", "dit", 0, 0)
	e.conditioner, err = newConditioner(ctx, e.be, readers, e.transformer, reading, b.MaxSteps)
	return e, err
}

// Supports says whether this engine can load what a manifest describes
// (fault.ModelUnsupported), before any weights are fetched.
func Supports(m *weights.Manifest) error {
	for _, c := range m.Components {
		var err error
		switch c.Role {
		case weights.RoleText:
			_, err = find(textEncoders, c)
		case weights.RoleTransformer:
			_, err = find(transformers, c)
		case weights.RoleDecoder:
			_, err = find(decoders, c)
		case weights.RoleEncoder:
			_, err = find(encoders, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fit checks that the networks and the sizes belong together.
func (e *Engine) fit(readers []*reader) (dit.Reading, error) {
	parts := dit.Parts{LatentChannels: e.decoder.Shape().Channels}
	for _, r := range readers {
		parts.Encoders = append(parts.Encoders, r.seen())
	}
	reading, err := e.transformer.Fit(parts)
	if err != nil {
		return reading, err
	}
	if _, reads := e.transformer.(referenced); e.edits() && !reads {
		return reading, fault.New(fault.ModelUnsupported, "there is an encoder, for reference pictures, which the family %s does not read", e.manifest.Family)
	}
	if e.encoder != nil {
		if err := e.fitEncoder(e.encoder); err != nil {
			return reading, err
		}
	}
	step, side := e.decoder.Shape().Downscale*e.transformer.Shape().Patch, e.transformer.Shape().Side
	for _, s := range e.manifest.Sizes {
		if s.Frames > 0 {
			return reading, fault.New(fault.ModelUnsupported, "size %v, a video of %d frames; the family %s makes pictures", s, s.Frames, e.manifest.Family)
		}
		if s.Width%step != 0 || s.Height%step != 0 {
			return reading, fault.New(fault.ModelUnsupported, "size %v, the sides of this model's pictures must be multiples of %d", s, step)
		}
		if side > 0 && max(s.Width, s.Height) > side*step {
			return reading, fault.New(fault.ModelUnsupported, "size %v, the transformer knows positions up to %d", s, side*step)
		}
	}
	return reading, nil
}

// loading is the state of one Load, or of the encoder's, which comes later.
type loading struct {
	ctx    context.Context
	be     *residency
	bundle *weights.Bundle
	opt    LoadOptions
	total  int64 // bytes of the files

	verified, uploaded int64 // bytes of finished files
}

func (l *loading) tell(stage, role string, done, total int64) {
	if l.opt.Progress != nil {
		l.opt.Progress(Progress{stage, role, done, total})
	}
}

// open opens a file and, unless its source does that, compares its hashes.
func (l *loading) open(name string) (op.Source, error) {
	src, f, err := l.bundle.OpenFile(l.ctx, name)
	if err != nil || l.opt.SourceVerifies {
		return src, err
	}
	err = f.Verify(l.ctx, src, func(done int64) { l.tell("verify", name, l.verified+done, l.total) })
	if err != nil {
		weights.Close(src)
		return nil, err
	}
	l.verified += f.Bytes
	return src, nil
}

// reader loads a text encoder and its tokenizer.
func (l *loading) reader(c weights.Component) (*reader, error) {
	words := make([][]byte, len(c.Tokenizer))
	for i, name := range c.Tokenizer {
		var err error
		if words[i], err = l.tokenizer(name); err != nil {
			return nil, err
		}
	}
	encoder, _, err := upload(l, textEncoders, c)
	if err != nil {
		return nil, err
	}
	tokenizer, err := encoder.Tokenizer(words...)
	if err != nil {
		return nil, err
	}
	return &reader{name: c.Name, tokenizer: tokenizer, encoder: encoder}, nil
}

// tokenizer reads a file of a tokenizer.
func (l *loading) tokenizer(name string) ([]byte, error) {
	src, err := l.open(name)
	if err != nil {
		return nil, err
	}
	defer weights.Close(src)
	n := src.Size()
	if n > maxTokenizer {
		return nil, fault.New(fault.TokenizerInvalid, "the file %s of a tokenizer has %d bytes, at most %d", name, n, maxTokenizer)
	}
	data, err := io.ReadAll(io.NewSectionReader(src, 0, n))
	if err != nil {
		return nil, fault.Pass(err, fault.Fetch, "the file %s of a tokenizer cannot be read", name)
	}
	l.uploaded += n
	return data, nil
}

// upload loads a component with its kind's loader, which asks for the weights, and
// tells their precision.
func upload[Part any](l *loading, table map[string]loader[Part], c weights.Component) (part Part, precision string, err error) {
	whole, err := l.bundle.OpenWhole(c.File, l.open)
	if err != nil {
		return part, "", err
	}
	defer weights.Close(whole)
	u, err := NewUploader(l.ctx, l.be.Backend, whole)
	if err != nil {
		return part, "", err
	}
	u.progress = func(done int64) { l.tell("upload", c.File, l.uploaded+done, l.total) }
	if part, err = build(table, c, asked{u, l.be, c.File}); err != nil {
		return part, "", err
	}
	l.uploaded += l.bundle.ComponentBytes(c)
	return part, u.precision(), u.err
}
