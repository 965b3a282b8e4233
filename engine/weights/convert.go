package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// Converted tells what became of one tensor.
type Converted struct {
	Part, Name, Class  string // Part: the name of its file; Class: "linear", "embedding", "convolution" or "vector"
	From, To           op.DType
	Before, After      int64   // bytes
	Squares, ErrSquare float64 // sums over the elements of x² and of (stored − x)²
}

// Convert writes the model as GGUF files in the folder out, with a manifest (new
// sizes and hashes), the tokenizer and the model card. Linear weights of the
// transformer and the text encoder whose rows are whole blocks become q; other
// matrices, embedding tables and convolutions become F16 (BF16 or F32, where q is
// one of these); biases and norms become F32. report, which may be nil, hears of
// every tensor. The manifest, of the name given, is written last and every file appears
// whole or not at all, so that an interrupted conversion never looks like a finished
// one. In out it replaces what a former conversion of the same model wrote, and nothing
// else.
//
// Errors: those of reading, WeightsHash, WeightsNotFinite (also where a value
// does not fit its new type), RequestInvalid (a file in out is in the way),
// Aborted, and the file system's own.
func (b *Bundle) Convert(ctx context.Context, manifest, out string, q op.DType, report func(Converted)) error {
	if err := b.mayConvertInto(ctx, out, manifest); err != nil {
		return err
	}
	if _, ok := fileTypes[q]; !ok {
		return refuse(BadType, "the target type is %s, wanted Q8_0, Q4_0, F16, BF16 or F32", q)
	}
	create := func(name string, write func(io.Writer) error) error {
		return WriteFile(filepath.Join(out, filepath.FromSlash(name)), write)
	}
	return b.write(ctx, manifest, create, func(role string, t Tensor, _ bool) (string, op.DType) { return target(role, t, q) }, report)
}

// Save writes the model as Convert does, into files that create makes, and leaves every
// tensor the bytes that it has, where GGUF has its type: 8-bit floats become F16, which
// holds each of them; their products with the scales beside them are rounded to it. create
// has each file written from its beginning to its end, model.json last.
//
// Errors: as Convert's, and create's own.
func (b *Bundle) Save(ctx context.Context, create func(name string, write func(io.Writer) error) error, report func(Converted)) error {
	return b.write(ctx, "model.json", create, func(_ string, t Tensor, scaled bool) (string, op.DType) {
		if scaled || !storedByGGUF(t.DType) {
			return "changed", op.F16
		}
		return asItIs, t.DType
	}, report)
}

// asItIs is the class of a tensor whose bytes are copied.
const asItIs = "as it is"

// chooser says of what class a tensor of a component is, and as what it is stored. scaled
// says that the file has scales for it.
type chooser func(role string, t Tensor, scaled bool) (class string, to op.DType)

// write writes the files of the model, and then its manifest.
func (b *Bundle) write(ctx context.Context, manifest string, create func(name string, write func(io.Writer) error) error, choose chooser, report func(Converted)) error {
	m := b.Manifest
	m.Files = nil
	for _, f := range b.marked() {
		converted, err := b.writeFile(ctx, f, create, choose, report)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, converted)
	}
	src, err := b.Open(ctx, card)
	if err == nil {
		Close(src)
		err = create(card, b.copier(ctx, card))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	return create(manifest, func(w io.Writer) error { return m.Write(w) })
}

// marked are the files, the transformer's own first, which alone says whose it is: others
// are the same bytes in every model that shares them, so that a browser which has one
// model fetches them no second time.
func (b *Bundle) marked() []File {
	list := slices.Clone(b.Files)
	if i := slices.IndexFunc(list, func(f File) bool { return b.tells(f.Name) }); i > 0 {
		list = slices.Insert(slices.Delete(list, i, i+1), 0, b.Files[i])
	}
	return list
}

// tells reports whether a file is the transformer's own.
func (b *Bundle) tells(name string) bool {
	c := b.owner(name)
	return c.Role == RoleTransformer && c.File == name
}

// writeFile writes one file, whose former bytes have to be what the manifest says.
func (b *Bundle) writeFile(ctx context.Context, f File, create func(name string, write func(io.Writer) error) error, choose chooser, report func(Converted)) (File, error) {
	file, write := convertedPath(f), b.copier(ctx, f.Path)
	if f.Role != tokenizerRole {
		write = b.encoder(ctx, f.Name, choose, report)
	}
	src, _, err := b.OpenFile(ctx, f.Name)
	if err != nil {
		return File{}, err
	}
	err = f.Verify(ctx, src, nil)
	Close(src)
	if err != nil {
		return File{}, err
	}
	h := newHasher()
	if err := create(file, func(w io.Writer) error { return write(io.MultiWriter(w, h)) }); err != nil {
		return File{}, err
	}
	converted := h.describe(f.Role, file)
	converted.Name = f.Name
	return converted, nil
}

// card is the name of the model card, which goes where the model goes.
const card = "README.md"

// convertedPath is where the conversion of a file stands.
func convertedPath(f File) string {
	if f.Role == tokenizerRole {
		return f.Path
	}
	return f.Name + ".gguf"
}

// mayConvertInto refuses a folder where a file has a name that the conversion would
// write, unless a conversion of this model wrote it: a finished one, which has its
// model.json, or one that was interrupted.
func (b *Bundle) mayConvertInto(ctx context.Context, out, manifest string) error {
	if former, err := LoadBundle(ctx, Dir(out), manifest); err == nil && former.Name == b.Name {
		if t, _ := former.Of(RoleTransformer); t.File != "" {
			if f, _ := former.File(t.File); f.Path == convertedPath(*f) {
				return nil
			}
		}
	}
	foreign := func(name string, ours func(op.Source) bool) error {
		if _, err := os.Lstat(filepath.Join(out, filepath.FromSlash(name))); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if src, err := Dir(out).Open(ctx, name); err == nil {
			defer Close(src)
			if ours(src) {
				return nil
			}
		}
		return fault.New(fault.RequestInvalid, "%s holds a file %s that no conversion of %s has written: choose another folder, or move the file away", out, name, b.Name)
	}
	copied := func(name string) func(op.Source) bool {
		return func(src op.Source) bool {
			original, err := b.Open(ctx, name)
			if err != nil {
				return false
			}
			defer Close(original)
			return sameBytes(src, original)
		}
	}
	begun := false // whether a conversion of this model has written its transformer
	for _, f := range b.marked() {
		ours := copied(f.Path)
		if f.Role != tokenizerRole {
			ours = func(src op.Source) bool {
				x, err := Parse(src)
				if err != nil {
					return false
				}
				architecture, _ := x.Value("general.architecture")
				title, _ := x.Value("general.name")
				begun = begun || b.tells(f.Name) && title == b.Title
				return begun && architecture == b.owner(f.Name).architecture()
			}
		}
		if err := foreign(convertedPath(f), ours); err != nil {
			return err
		}
	}
	if err := foreign(card, copied(card)); err != nil {
		return err
	}
	return foreign(manifest, func(op.Source) bool { return false })
}

func sameBytes(a, b op.Source) bool {
	if a.Size() != b.Size() {
		return false
	}
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for off := int64(0); off < a.Size(); off += int64(len(x)) {
		n := min(int64(len(x)), a.Size()-off)
		if readFull(a, x[:n], off) != nil || readFull(b, y[:n], off) != nil || !bytes.Equal(x[:n], y[:n]) {
			return false
		}
	}
	return true
}

// Write writes the manifest as the text of a model.json.
func (m Manifest) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // prompts stay readable
	e.SetIndent("", " ")
	return e.Encode(m)
}

func (b *Bundle) copier(ctx context.Context, name string) func(io.Writer) error {
	return func(w io.Writer) error {
		src, err := b.Open(ctx, name)
		if err != nil {
			return err
		}
		defer Close(src)
		_, err = io.Copy(w, io.NewSectionReader(src, 0, src.Size()))
		return err
	}
}

// owner is the component that a weight file belongs to.
func (b *Bundle) owner(file string) (c Component) {
	if file == RoleJudge {
		return Component{Role: RoleJudge, Kind: RoleJudge}
	}
	for _, c = range b.Components {
		if c.File == file || slices.Contains(c.Shared, file) {
			break
		}
	}
	return c
}

// architecture is a component's value of general.architecture.
func (c Component) architecture() string {
	if c.Kind == "tiny" {
		return "taesd"
	}
	return c.Kind
}

// fileTypes are ggml's numbers for general.file_type, which names the type of most
// of a file. A component without anything to quantize thus becomes the same file,
// byte for byte, whatever the rest of the model is converted to: who has it, by its
// hashes, does not download it again.
var fileTypes = map[op.DType]uint32{op.F32: 0, op.F16: 1, op.Q4_0: 2, op.Q8_0: 7, op.BF16: 32}

// encoder returns the writer of one component's GGUF file.
func (b *Bundle) encoder(ctx context.Context, name string, choose chooser, report func(Converted)) func(io.Writer) error {
	return func(w io.Writer) error {
		owner := b.owner(name)
		src, _, err := b.OpenFile(ctx, name)
		if err != nil {
			return err
		}
		defer Close(src)
		x, err := Parse(src)
		if err != nil {
			return err
		}
		var outputs []Output
		elems := map[op.DType]int64{} // by the type in which they are stored
		most := op.F32
		for _, t := range x.Tensors {
			if x.BesideWeight(t.Name) {
				continue // what is written has the scale in it
			}
			if err := t.Readable(); err != nil {
				return err
			}
			scales, err := Scales(x, src, t)
			if err != nil {
				return err
			}
			class, to := choose(owner.Role, t, scales != nil)
			if elems[to] += t.Elems(); elems[to] > elems[most] {
				most = to
			}
			outputs = append(outputs, Output{t.Name, to, joinedDims(t.Shape), func(w io.Writer) error {
				c := Converted{Part: name, Name: t.Name, Class: class, From: t.DType, To: to, Before: t.Bytes}
				from, stored := src, t
				if scales != nil {
					from, stored.DType, stored.Offset = Widen(src, t, scales), op.F32, 0
				}
				if class == asItIs {
					err = copyTensor(ctx, w, src, t, &c)
				} else {
					err = encode(ctx, w, from, stored, &c)
				}
				if err == nil && report != nil {
					report(c)
				}
				return err
			}})
		}
		meta := map[string]any{
			"general.architecture": owner.architecture(), "general.license": b.Licenses.Weights, "general.quantization_version": uint32(2),
		}
		if b.tells(name) {
			meta["general.name"], meta["general.version"] = b.Title, b.Revision
		}
		if known, ok := fileTypes[most]; ok {
			meta["general.file_type"] = known
		}
		return WriteGGUF(w, meta, outputs...)
	}
}

// joinedDims is a shape as GGUF holds it: of a kernel over frames, which has five, the last
// two are one.
func joinedDims(shape []int) []int {
	for n := len(shape); n > ggufDims; n-- {
		shape = append(slices.Clone(shape[:n-2]), shape[n-2]*shape[n-1])
	}
	return shape
}

// copyTensor writes the bytes that t has.
func copyTensor(ctx context.Context, w io.Writer, src op.Source, t Tensor, c *Converted) error {
	const most = 256 << 10
	b := make([]byte, min(most, t.Bytes))
	for c.After < t.Bytes {
		if ctx.Err() != nil {
			return fault.Wrap(ctx.Err(), fault.Aborted, "stopped in tensor %q", t.Name)
		}
		b = b[:min(most, t.Bytes-c.After)]
		if err := readFull(src, b, t.Offset+c.After); err != nil {
			return err
		}
		n, err := w.Write(b)
		if c.After += int64(n); err != nil {
			return err
		}
	}
	return nil
}

// target says what kind of tensor t is and how it is to be stored.
func target(role string, t Tensor, q op.DType) (string, op.DType) {
	full := op.F16
	if q == op.F32 || q == op.BF16 {
		full = q
	}
	if role == RoleJudge && q == op.Q4_0 {
		q = op.Q8_0 // its accuracy was measured at more digits
	}
	switch {
	case len(t.Shape) >= 4:
		return "convolution", full
	case len(t.Shape) != 2:
		return "vector", op.F32
	case strings.Contains(t.Name, "embedding"), t.Name == "shared.weight", strings.HasSuffix(t.Name, "relative_attention_bias.weight"):
		return "embedding", full
	}
	if elems, _ := q.Block(); role == RoleDecoder || role == RoleEncoder || t.Shape[1]%elems != 0 {
		return "linear", full
	}
	return "linear", q
}

// encode writes t's elements as c.To and adds up what that loses.
func encode(ctx context.Context, w io.Writer, src op.Source, t Tensor, c *Converted) error {
	var stored []byte
	var back []float32
	elems, size := c.To.Block()
	return Each(src, t, func(first int64, x []float32) error {
		if ctx.Err() != nil {
			return fault.Wrap(ctx.Err(), fault.Aborted, "the conversion was stopped in tensor %q", t.Name)
		}
		if stored == nil {
			stored, back = make([]byte, len(x)/elems*size), make([]float32, len(x))
		}
		b, y := stored[:len(x)/elems*size], back[:len(x)]
		quant.Quantize(c.To, b, x)
		quant.Dequantize(c.To, y, b)
		for i, v := range x {
			d := float64(y[i]) - float64(v)
			if math.IsNaN(d) || math.IsInf(d, 0) {
				return fault.New(fault.WeightsNotFinite, "element %d of tensor %q is %g and would be stored as %g in %s", first+int64(i), t.Name, v, y[i], c.To)
			}
			c.Squares += float64(v) * float64(v)
			c.ErrSquare += d * d
		}
		c.After += int64(len(b))
		_, err := w.Write(b)
		return err
	})
}
