package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/conform/twin"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

const published = "../testdata/published/"

// read is a file of this machine in memory; one under diffusers' names may be told by names
// alone.
func read(t testing.TB, name string) File {
	t.Helper()
	data, err := os.ReadFile(name)
	if prefix, ok := strings.CutSuffix(name, twin.Whole); ok {
		data, err = twin.Of(prefix)
	}
	if err != nil {
		t.Fatal(err)
	}
	return File{filepath.ToSlash(name), bytes.NewReader(data)}
}

// text is a file of the given text.
func textFile(name, content string) File { return File{name, strings.NewReader(content)} }

// goldenConfig is the config.json that a small model is published with, beside name.
func goldenConfig(t testing.TB, golden, folder string) File {
	t.Helper()
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ Config json.RawMessage }
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return File{folder + "/config.json", bytes.NewReader(g.Config)}
}

// identify fails where the files are not understood.
func identify(t testing.TB, files ...File) *Found {
	t.Helper()
	f, err := Identify(files)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// part finds the part of a role and, of text encoders, a name.
func (f *Found) part(t testing.TB, role, name string) Part {
	t.Helper()
	for _, p := range f.Parts {
		if p.Role == role && p.Name == name {
			return p
		}
	}
	t.Fatalf("no part %s %s among %d", role, name, len(f.Parts))
	return Part{}
}

// asked records what a loader asks of a view.
type asked struct {
	t     testing.TB
	index *weights.Index // nil: there is everything under the publisher's names
	all   bool           // and under those of diffusers
	names []string
	shape map[string][]int
}

func (a *asked) Has(name string) bool {
	if a.index == nil {
		return a.all
	}
	_, ok := a.index.Lookup(name)
	return ok
}

func (a *asked) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	shape := []int{rows, cols}
	switch {
	case use == op.UseVector && rows == 1:
		shape = []int{cols}
	case use == op.UseConv3x3:
		shape = []int{rows, cols / 9, 3, 3}
	case use >= op.UseFrame0:
		if shape = []int{rows, cols / 9, 3, 3, 3}; use > op.UseFrame0 {
			a.names = a.names[:len(a.names)-1] // the same tensor again
		}
	}
	a.names = append(a.names, name)
	a.shape[name] = shape
	if a.index == nil {
		return op.NewStorage(name, op.Weight, op.F32, rows, cols)
	}
	x, ok := a.index.Lookup(name)
	switch {
	case !ok:
		a.t.Errorf("the view has no %s", name)
	case use == op.UseMiddle:
		if n := x.Elems() / int64(cols); n < int64(rows) || len(x.Shape) != 3 {
			a.t.Errorf("%s has the shape %v, the middle %d × %d is wanted", name, x.Shape, rows, cols)
		}
	case use >= op.UseFrame0:
		if !slices.Equal(x.Shape, shape) {
			a.t.Errorf("%s has the shape %v, %v is wanted", name, x.Shape, shape)
		}
	case x.Elems() != int64(rows)*int64(cols) || use != op.UseVector && x.Shape[0] != rows || use == op.UseConv3x3 && !slices.Equal(x.Shape, shape) || use == op.UseVector && !slices.Equal(x.Shape, shape):
		a.t.Errorf("%s has the shape %v, %d × %d are wanted for use %d", name, x.Shape, rows, cols, use)
	}
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (a *asked) Constant(name string, _ op.Use, rows, cols int, values []float32) *op.Tensor {
	if len(values) != rows*cols {
		a.t.Errorf("constant %s has %d values for %d × %d", name, len(values), rows, cols)
	}
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

// load lets the engine's own loader read a part: its configuration and its tensors.
func load(t testing.TB, p Part) *asked {
	t.Helper()
	a := &asked{t: t, index: p.Index, shape: map[string][]int{}}
	return a.load(p)
}

func (a *asked) load(p Part) *asked {
	a.t.Helper()
	switch p.Kind {
	case "flux":
		with(a, p.Config, dit.LoadFlux)
	case "sd3":
		with(a, p.Config, dit.LoadSD3)
	case "clip":
		with(a, p.Config, text.LoadCLIP)
	case "t5":
		with(a, p.Config, text.LoadT5)
	case "llama":
		with(a, p.Config, text.LoadLlama)
	case "hidream":
		with(a, p.Config, dit.LoadHiDream)
	case "cosmos":
		with(a, p.Config, dit.LoadCosmos)
	case "kl":
		with(a, p.Config, vae.LoadKL)
	case "causal3d":
		with(a, p.Config, vae.LoadCausal3D)
	case "tiny":
		with(a, p.Config, vae.LoadTiny)
	default:
		a.t.Fatalf("no loader for %q", p.Kind)
	}
	return a
}

func with[Config, Model any](a *asked, text json.RawMessage, load func(Config, op.Weights) (Model, error)) {
	a.t.Helper()
	var c Config
	if err := weights.Decode(text, "config", &c); err != nil {
		a.t.Fatalf("%v: %s", err, text)
	}
	if _, err := load(c, a); err != nil {
		a.t.Fatalf("%v: %s", err, text)
	}
}

// content is the bytes of a tensor of a view.
func content(t testing.TB, p Part, name string) []byte {
	t.Helper()
	x, ok := p.Index.Lookup(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	b := make([]byte, x.Bytes)
	if _, err := p.Source.ReadAt(b, x.Offset); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

// shaped is a tensor without data.
type shaped struct {
	name  string
	dtype string
	shape []int
}

// sparse is a safetensors file with a header and zeros.
type sparse struct {
	header []byte
	size   int64
}

func (s sparse) Size() int64 { return s.size }

func (s sparse) ReadAt(b []byte, off int64) (int, error) {
	n := min(int64(len(b)), max(0, s.size-off))
	clear(b[:n])
	if off < int64(len(s.header)) {
		copy(b[:n], s.header[off:])
	}
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// elementBytes are the types that tests write, and I32 and BOOL, which nobody reads.
var elementBytes = map[string]int64{"BF16": 2, "F16": 2, "F32": 4, "F8_E4M3": 1, "I32": 4, "I64": 8, "F64": 8, "BOOL": 1}

// zeros is a safetensors file of these tensors, all zero.
func zeros(name string, tensors ...shaped) File {
	header, at := map[string]any{}, int64(0)
	for _, x := range tensors {
		n := elementBytes[x.dtype]
		for _, d := range x.shape {
			n *= int64(d)
		}
		header[x.name] = map[string]any{"dtype": x.dtype, "shape": x.shape, "data_offsets": []int64{at, at + n}}
		at += n
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	return File{name, sparse{head, int64(len(head)) + at}}
}

// of lists what a loader asks for, as a file in the original layout has it.
func of(t testing.TB, kind string, config any, prefix, dtype string) []shaped {
	t.Helper()
	return (&asked{t: t, shape: map[string][]int{}}).of(kind, config, prefix, dtype)
}

func (a *asked) of(kind string, config any, prefix, dtype string) []shaped {
	t := a.t
	t.Helper()
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := Part{View: &View{}}
	p.Kind, p.Config = kind, raw
	a.load(p)
	var out []shaped
	for _, name := range a.names {
		shape := a.shape[name]
		switch {
		case name == "pos_embed":
			side := int(math.Sqrt(float64(shape[0])))
			if c, ok := config.(dit.SD3Config); ok {
				side = c.Side
			}
			shape = []int{1, side * side, shape[1]}
		case name == "x_embedder.proj.weight" && kind == "sd3":
			shape = []int{shape[0], shape[1] / 4, 2, 2}
		}
		out = append(out, shaped{prefix + name, dtype, shape})
	}
	return out
}
