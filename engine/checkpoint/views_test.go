package checkpoint

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/conform/twin"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Files in diffusers' names hold the same numbers as the original ones: what a loader
// asks for must have the same bytes in both. UNDERTONE_GOLDENS names a folder with
// more of them than are kept here.
func TestViewsOfDiffusersFiles(t *testing.T) {
	compared := 0
	for _, folder := range []string{published, os.Getenv("UNDERTONE_GOLDENS")} {
		if folder == "" {
			continue
		}
		names, err := filepath.Glob(filepath.Join(folder, "*.diffusers.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			base, _, _ := strings.Cut(name, ".diffusers.")
			t.Run(filepath.Base(base), func(t *testing.T) {
				config := func() File { return goldenConfig(t, base+".json", filepath.ToSlash(folder)) }
				theirs := identify(t, read(t, base+twin.Whole), config())
				ours := identify(t, read(t, base+".safetensors"), config())
				p, q := only(t, theirs), only(t, ours)
				if string(p.Config) != string(q.Config) {
					t.Errorf("configuration by diffusers' names %s, by the original ones %s", p.Config, q.Config)
				}
				if theirs.Unused != 0 || ours.Unused != 0 {
					t.Errorf("%d and %d tensors are not used", theirs.Unused, ours.Unused)
				}
				a := load(t, p)
				load(t, q)
				for _, name := range a.names {
					if !bytes.Equal(content(t, p, name), content(t, q, name)) {
						t.Errorf("%s has other bytes", name)
					}
				}
				if len(a.names) < 50 {
					t.Errorf("only %d tensors were asked for", len(a.names))
				}
				compared++
			})
		}
	}
	if compared < 3 {
		t.Errorf("%d models were compared, want 3", compared)
	}
}

// only is the one part of what was found; published KL decoders get their factors
// from a config.json here.
func only(t testing.TB, f *Found) Part {
	t.Helper()
	if len(f.Parts) != 1 {
		t.Fatalf("%d parts", len(f.Parts))
	}
	return f.Parts[0]
}

// Every table of a network makes the tensors that its original table names, so that no
// layout is forgotten when another grows.
func TestTablesAgree(t *testing.T) {
	targets := map[string]map[string][]string{} // title → target → titles of those that make it
	number := map[string]int{}
	for _, l := range layouts() {
		if readers[l.kind] == nil || len(settings[l.kind]) == 0 && l.kind != RoleAdapter { // which nobody publishes with a config.json
			t.Errorf("%s has a reader %t, %d settings", l.kind, readers[l.kind] != nil, len(settings[l.kind]))
		}
		number[l.title]++
		if l.kind == "causal3d" { // whose loader asks for either naming
			continue
		}
		seen := map[string]bool{}
		for _, r := range l.rows {
			to := r.to.text
			for _, h := range []hole{holeFlip, holeNext, holeLast} {
				to = strings.ReplaceAll(to, "{"+string(h)+"}", "{N}")
			}
			if targets[l.title] == nil {
				targets[l.title] = map[string][]string{}
			}
			if !seen[to] {
				targets[l.title][to] = append(targets[l.title][to], l.title)
			}
			seen[to] = true
			for _, p := range r.from {
				if len(p.holes) > 0 && p.literals[0] == "" && l.kind != "tiny" {
					t.Errorf("%s: %s begins with a number", l.title, p.text)
				}
			}
		}
	}
	for title, makers := range targets {
		for to, titles := range makers {
			if len(titles) != number[title] {
				t.Errorf("%s: %s is made by %d of %d tables", title, to, len(titles), number[title])
			}
		}
	}
	for _, title := range []string{"FLUX.1", "Stable Diffusion 3", "Cosmos", "CLIP", "T5", "T5 1.0", "Llama", "AutoencoderKL", "AutoencoderKLWan", "TAESD"} {
		if number[title] != 2 {
			t.Errorf("%s has %d tables", title, number[title])
		}
	}
}

// small is a table of a network that does not exist.
const small = `is a network
kind flux
prefix . net.
sign a.weight
joined.weight <- a.weight + b.weight
swapped.* <- swap c.*
block.{last-N}.{M} <- blocks.{N}.{M}
? extra.{N+1} <- more.{N}
either <- first
either <- second
`

// random is a GGUF file of tensors with some bytes; of blocks these are numbers, too.
func random(t testing.TB, meta map[string]any, tensors ...weights.Output) File {
	t.Helper()
	for i, x := range tensors {
		tensors[i].Write = func(w io.Writer) error {
			elems, size := x.DType.Block()
			n := size
			for j, d := range x.Shape {
				if j == len(x.Shape)-1 {
					d /= elems
				}
				n *= d
			}
			b := make([]byte, n)
			for j := range b {
				b[j] = byte(j*7+i*31+j/253) & 0x3f
			}
			_, err := w.Write(b)
			return err
		}
	}
	var out bytes.Buffer
	if err := weights.WriteGGUF(&out, meta, tensors...); err != nil {
		t.Fatal(err)
	}
	return File{"net.gguf", bytes.NewReader(out.Bytes())}
}

// The operations of the tables, on rows in blocks and under a prefix.
func TestView(t *testing.T) {
	l, err := parseLayout(small)
	if err != nil {
		t.Fatal(err)
	}
	f := random(t, nil,
		weights.Output{Name: "net.a.weight", DType: op.Q8_0, Shape: []int{3, 64}}, weights.Output{Name: "net.b.weight", DType: op.Q8_0, Shape: []int{2, 64}},
		weights.Output{Name: "net.c.weight", DType: op.Q4_0, Shape: []int{4, 32}}, weights.Output{Name: "net.c.bias", DType: op.F32, Shape: []int{6}},
		weights.Output{Name: "net.blocks.0.0", DType: op.F32, Shape: []int{1}}, weights.Output{Name: "net.blocks.1.0", DType: op.F32, Shape: []int{2}},
		weights.Output{Name: "net.blocks.0.1", DType: op.F32, Shape: []int{3}}, weights.Output{Name: "net.blocks.1.1", DType: op.F32, Shape: []int{4}},
		weights.Output{Name: "net.more.9", DType: op.F32, Shape: []int{5}}, weights.Output{Name: "net.second", DType: op.F32, Shape: []int{7}},
		weights.Output{Name: "a.weight", DType: op.F32, Shape: []int{1}})
	g, err := sortOut([]File{f})
	if err != nil {
		t.Fatal(err)
	}
	u := g.units[0]
	if !l.signed(u, "net.") || l.signed(u, "other.") {
		t.Error("the sign is not told")
	}
	v, err := l.view(u, "net.")
	if err != nil {
		t.Fatal(err)
	}
	raw := func(name string) []byte {
		x := u.tensors[name]
		b := make([]byte, x.Bytes)
		if _, err := f.Source.ReadAt(b, x.Offset); err != nil {
			t.Fatal(err)
		}
		return b
	}
	half := func(name string) []byte {
		b := raw(name)
		return append(append([]byte{}, b[len(b)/2:]...), b[:len(b)/2]...)
	}
	for name, want := range map[string]struct {
		bytes []byte
		rows  int
	}{
		"joined.weight":  {append(raw("net.a.weight"), raw("net.b.weight")...), 5},
		"swapped.weight": {half("net.c.weight"), 4},
		"swapped.bias":   {half("net.c.bias"), 6},
		"block.1.0":      {raw("net.blocks.0.0"), 1}, "block.0.0": {raw("net.blocks.1.0"), 2},
		"block.1.1": {raw("net.blocks.0.1"), 3}, "block.0.1": {raw("net.blocks.1.1"), 4},
		"extra.10": {raw("net.more.9"), 5}, "either": {raw("net.second"), 7},
	} {
		if got := content(t, Part{View: v}, name); !bytes.Equal(got, want.bytes) {
			t.Errorf("%s has other bytes", name)
		}
		if x, _ := v.Index.Lookup(name); x.Shape[0] != want.rows {
			t.Errorf("%s has the shape %v, want %d rows", name, x.Shape, want.rows)
		}
	}
	if len(v.Index.Tensors) != 9 || len(u.used) != 10 {
		t.Errorf("%d tensors of %d", len(v.Index.Tensors), len(u.used))
	}
	var at int64 // a view's own offsets neither overlap nor leave a gap
	for range v.Index.Tensors {
		for _, x := range v.Index.Tensors {
			if x.Offset == at {
				at += x.Bytes
			}
		}
	}
	if at != v.Source.Size() {
		t.Errorf("the tensors end at %d, the source at %d", at, v.Source.Size())
	}
}

// What cannot be put together is refused, by name.
func TestViewRefuses(t *testing.T) {
	l, err := parseLayout(small)
	if err != nil {
		t.Fatal(err)
	}
	whole := func() []weights.Output {
		return []weights.Output{{Name: "a.weight", DType: op.F32, Shape: []int{3, 4}}, {Name: "b.weight", DType: op.F32, Shape: []int{2, 4}},
			{Name: "c.weight", DType: op.F32, Shape: []int{4, 4}}, {Name: "c.bias", DType: op.F32, Shape: []int{4}}, {Name: "first", DType: op.F32, Shape: []int{4}}}
	}
	for _, c := range []struct {
		what   string
		change func([]weights.Output) []weights.Output
		code   fault.Code
		says   string
	}{
		{"nothing", func(x []weights.Output) []weights.Output { return x }, "", ""},
		{"no b", func(x []weights.Output) []weights.Output { return append(x[:1], x[2:]...) }, fault.WeightsMissing, `no tensor "b.weight"`},
		{"neither", func(x []weights.Output) []weights.Output { return x[:4] }, fault.WeightsMissing, `no tensor "first"`},
		{"another type", func(x []weights.Output) []weights.Output { x[1].DType = op.F16; return x }, fault.ModelUnsupported, `"a.weight" is stored as F32 and "b.weight" as F16`},
		{"another width", func(x []weights.Output) []weights.Output { x[1].Shape = []int{2, 5}; return x }, fault.WeightsMissing, `"b.weight" has the shape [2 5]`},
		{"odd rows", func(x []weights.Output) []weights.Output { x[2].Shape = []int{5, 4}; return x }, fault.WeightsMissing, `wanted an even number of rows`},
		{"half a block", func(x []weights.Output) []weights.Output {
			x[3] = weights.Output{Name: "c.bias", DType: op.Q8_0, Shape: []int{32}}
			return x
		}, fault.ModelUnsupported, `does not end with a block`},
		{"a block is missing", func(x []weights.Output) []weights.Output {
			return append(x, weights.Output{Name: "blocks.0.0", DType: op.F32, Shape: []int{1}}, weights.Output{Name: "blocks.9.0", DType: op.F32, Shape: []int{1}})
		}, fault.WeightsMissing, `"blocks.`},
	} {
		g, err := sortOut([]File{random(t, nil, c.change(whole())...)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.view(g.units[0], "")
		if (err == nil) != (c.code == "") || err != nil && (!fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// Numbers in names are numbers only as names write them.
func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          numbers
		ok            bool
	}{
		{"a.{N}.b", "a.0.b", numbers{}, true}, {"a.{N}.b", "a.12.b", numbers{n: 12}, true}, {"a.{N}.b", "a.01.b", numbers{}, false},
		{"a.{N}.b", "a..b", numbers{}, false}, {"a.{N}.b", "a.12345.b", numbers{}, false}, {"a.{N}.b", "a.1.bc", numbers{}, false},
		{"a.{N}.b", "a.1.", numbers{}, false}, {"a.{N}.{M}", "a.3.4", numbers{n: 3, m: 4}, true}, {"a.{N}.{M}", "a.3.4.", numbers{}, false},
		{"{N}.w", "7.w", numbers{n: 7}, true}, {"a", "a", numbers{}, true}, {"a", "ab", numbers{}, false}, {"a.{N}", "a.-1", numbers{}, false},
	} {
		p := parsePattern(c.pattern)
		at, ok := p.match(c.name)
		if ok != c.ok || ok && at != c.want {
			t.Errorf("%s of %s: %v %t", c.pattern, c.name, at, ok)
		}
		if ok && p.name(at) != c.name {
			t.Errorf("%s of %s gives %s", c.pattern, c.name, p.name(at))
		}
	}
	for _, text := range []string{"", "is x\nkind y\nprefix .\nsign z\na <- b +\n", "is x\nkind y\nprefix .\nsign z\na b\n", "is x\nkind y\nprefix .\nsign z\n"} {
		if _, err := parseLayout(text); err == nil {
			t.Errorf("the table %q is taken", text)
		}
	}
}
