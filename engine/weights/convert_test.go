package weights

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

func TestConvert(t *testing.T) {
	ctx, files := t.Context(), tinyModel(t)
	decoders := map[op.DType]string{} // the hashes of the decoder's file
	for _, q := range []op.DType{op.Q8_0, op.Q4_0, op.F16, op.BF16, op.F32} {
		out := filepath.Join(t.TempDir(), "tiny")
		reported := map[string]Converted{}
		if err := convert(ctx, files, "model.json", out, q, func(c Converted) { reported[c.Name] = c }); err != nil {
			t.Fatal(err)
		}
		b, err := LoadBundle(ctx, Dir(out), "model.json")
		if err != nil {
			t.Fatal(err)
		}
		source, err := LoadBundle(ctx, files, "model.json")
		if err != nil {
			t.Fatal(err)
		}
		want := source.Manifest
		want.Files = b.Files
		if got, want := mustJSON(t, b.Manifest), mustJSON(t, want); got != want {
			t.Errorf("%s: the manifest became\n%s\nwanted\n%s", q, got, want)
		}
		full := op.F16 // what is not quantized
		if q == op.BF16 || q == op.F32 {
			full = q
		}
		types := map[string]op.DType{
			"img_in.weight": full, "img_in.bias": op.F32, "double_blocks.0.img_mlp.0.weight": q, // rows of 48 are not whole blocks
			"text_model.embeddings.token_embedding.weight": full, "text_model.encoder.layers.0.mlp.fc1.weight": q,
			"decoder.layers.1.weight": full, "decoder.layers.1.bias": op.F32,
		}
		if q == op.F16 || q == op.BF16 || q == op.F32 {
			types["img_in.weight"] = q
		}
		seen := 0
		for _, role := range roles[:3] {
			src, f, err := b.OpenFile(ctx, role)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(ctx, src, nil); err != nil {
				t.Error(err)
			}
			x, err := Parse(src)
			if err != nil {
				t.Fatal(err)
			}
			most := q
			if role == "vae" {
				most, decoders[q] = full, f.SHA256
			}
			if values(x)["general.architecture"] != map[string]string{"dit": "flux", "text": "clip", "vae": "taesd"}[role] || values(x)["general.file_type"] != fileTypes[most] {
				t.Errorf("%s %s: metadata %v", q, role, x.Meta)
			}
			original, _, err := source.OpenFile(ctx, role)
			if err != nil {
				t.Fatal(err)
			}
			from, err := Parse(original)
			if err != nil {
				t.Fatal(err)
			}
			for _, ts := range x.Tensors {
				seen++
				sameTensor(t, original, from, src, ts, types[ts.Name], reported[ts.Name])
			}
			Close(src)
		}
		if seen != len(types) || len(reported) != seen {
			t.Errorf("%s: %d tensors, %d reported, wanted %d", q, seen, len(reported), len(types))
		}
		sameBesides(t, files, out)
		if left, err := filepath.Glob(filepath.Join(out, ".*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	if d := decoders; d[op.Q8_0] == "" || d[op.Q8_0] != d[op.Q4_0] || d[op.Q8_0] != d[op.F16] {
		t.Errorf("the decoder, of which nothing is quantized, differs: %v", d)
	}
}

// sameBesides compares the files that are copied.
func sameBesides(t *testing.T, files Memory, out string) {
	t.Helper()
	for _, name := range []string{"tokenizer.json", "README.md"} {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// sameTensor compares a converted tensor with the one it was made of, and what was
// reported of it with what was lost.
func sameTensor(t *testing.T, original op.Source, from *Index, src op.Source, ts Tensor, want op.DType, c Converted) {
	t.Helper()
	q := c.To
	old, ok := from.Lookup(ts.Name)
	if !ok || ts.DType != want {
		t.Errorf("%s: %s is stored as %s, wanted %s", q, ts.Name, ts.DType, want)
	}
	was, err := ReadFloat32(original, old)
	if err != nil {
		t.Fatal(err)
	}
	is, err := ReadFloat32(src, ts)
	if err != nil || !equal(is, decoded(ts.DType, was)) {
		t.Errorf("%s: %s holds other values (%v)", q, ts.Name, err)
	}
	var lost, all float64
	for i := range was {
		lost += math.Pow(float64(was[i])-float64(is[i]), 2)
		all += math.Pow(float64(was[i]), 2)
	}
	if math.Abs(c.ErrSquare-lost) > 1e-9*all || math.Abs(c.Squares-all) > 1e-9*all || c.After != ts.Bytes || c.Before != old.Bytes || c.To != ts.DType {
		t.Errorf("%s: %s was reported as %+v, lost %g of %g", q, ts.Name, c, lost, all)
	}
}

func mustJSON(t *testing.T, m Manifest) string {
	t.Helper()
	var b strings.Builder
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestConvertRefuses(t *testing.T) {
	ctx := t.Context()
	with := func(name string, change func([]byte) []byte) Memory {
		m := tinyModel(t)
		m[name] = change(append([]byte(nil), m[name]...))
		return m
	}
	// A model whose hashes are right, but whose weights hold this value.
	holding := func(x float32) Memory {
		m := tinyModel(t)
		values := drawn(1, 64*64)
		values[100] = x
		var b bytes.Buffer
		if err := WriteSafetensors(&b, nil, Float32s("w.weight", op.F32, []int{64, 64}, values)); err != nil {
			t.Fatal(err)
		}
		m["dit.safetensors"] = b.Bytes()
		parsed, err := ParseManifest(m["model.json"])
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range parsed.Files {
			if parsed.Files[i], err = Describe(f.Role, f.Path, bytes.NewReader(m[f.Path])); err != nil {
				t.Fatal(err)
			}
		}
		m["model.json"] = []byte(mustJSON(t, *parsed))
		return m
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		from Memory
		q    op.DType
		code fault.Code
	}{
		"flipped bit":  {ctx, with("text.safetensors", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), op.Q8_0, fault.WeightsHash},
		"cut short":    {ctx, with("vae.safetensors", func(b []byte) []byte { return b[:len(b)-1] }), op.Q8_0, fault.WeightsTruncated},
		"missing file": {ctx, Memory{"model.json": tinyModel(t)["model.json"]}, op.Q8_0, fault.HTTPStatus},
		"NaN":          {ctx, holding(float32(math.NaN())), op.Q8_0, fault.WeightsNotFinite},
		"infinite":     {ctx, holding(float32(math.Inf(-1))), op.F32, fault.WeightsNotFinite},
		"over F16":     {ctx, holding(1e6), op.F16, fault.WeightsNotFinite},
		"scale over":   {ctx, holding(1e7), op.Q4_0, fault.WeightsNotFinite},
		"other type":   {ctx, tinyModel(t), op.U32, fault.ModelUnsupported},
		"stopped":      {stopped, tinyModel(t), op.Q8_0, fault.Aborted},
	} {
		out := t.TempDir()
		if err := convert(c.ctx, c.from, "model.json", out, c.q, nil); !fault.Is(err, c.code) {
			t.Errorf("%s: %v, wanted %s", name, err, c.code)
		}
		if _, err := os.Stat(filepath.Join(out, "model.json")); err == nil {
			t.Errorf("%s: a model.json was written", name)
		}
	}
}

// The model in this repository is what its manifest says.
func TestShippedModel(t *testing.T) {
	ctx, folder := t.Context(), "../../models/sprites"
	if _, err := os.Stat(folder + "/model.json"); os.IsNotExist(err) {
		t.Skip("models/sprites has no model.json; make train writes it")
	}
	b, err := LoadBundle(ctx, Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	n := b.Parameters()
	encoder, _ := b.Of(RoleEncoder)
	counts := map[string]int64{"dit": n.DiT, "text": n.Text, "vae": n.VAE, "encoder": encoder.Parameters, "judge": b.Judge.Parameters}
	for _, f := range b.Files {
		src, _, err := b.OpenFile(ctx, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Verify(ctx, src, nil); err != nil {
			t.Error(err)
		}
		if f.Role != "tokenizer" {
			x, err := Parse(src)
			if err != nil {
				t.Fatal(err)
			}
			n := int64(0)
			for _, ts := range x.Tensors {
				if err := CheckFinite(src, ts); err != nil {
					t.Error(err)
				}
				n += ts.Elems()
			}
			if n != counts[f.Role] {
				t.Errorf("%s has %d parameters, model.json says %d", f.Role, n, counts[f.Role])
			}
		}
		Close(src)
	}
}

// convert converts the model of a manifest.
func convert(ctx context.Context, in Opener, manifest, out string, q op.DType, report func(Converted)) error {
	b, err := LoadBundle(ctx, in, manifest)
	if err != nil {
		return err
	}
	return b.Convert(ctx, manifest, out, q, report)
}
