package checkpoint

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// adapterFile is an adapter's own file, with a value of its own in every byte of one bias.
func adapterFile(name, prefix, dtype string, pooled, width, blocks int) File {
	return zeros(name, shaped{prefix + "scales", dtype, []int{blocks, width}},
		shaped{prefix + "text_embedder_clip.linear_1.weight", dtype, []int{width, pooled}}, shaped{prefix + "text_embedder_clip.linear_1.bias", dtype, []int{width}},
		shaped{prefix + "text_embedder_clip.linear_2.weight", dtype, []int{width, width}}, shaped{prefix + "text_embedder_clip.linear_2.bias", dtype, []int{width}})
}

// An adapter in its own file makes of its transformer what one in the same file does.
func TestAdapterBeside(t *testing.T) {
	want := cosmos2B()
	want.PooledDim = 768
	base := zeros("cosmos.safetensors", of(t, "cosmos", cosmos2B(), "net.", "BF16")...)
	for prefix, name := range map[string]string{"": "published.safetensors", "adapter.": "ours.safetensors"} {
		f := identify(t, base, adapterFile(name, prefix, "F32", 768, 3*2048, 28))
		p := f.part(t, weights.RoleTransformer, "")
		same(t, p, want)
		load(t, p)
		if f.Adapter == nil || f.Adapter.Title != "pooled adapter" || f.Adapter.Parameters != 42651648 || f.Unused != 0 || !slices.Equal(p.Files, []string{"cosmos.safetensors"}) {
			t.Errorf("%q: %+v, %d unused, of %v", prefix, f.Adapter, f.Unused, p.Files)
		}
		if alone := identify(t, base).part(t, weights.RoleTransformer, ""); p.Parameters != alone.Parameters+f.Adapter.Parameters || p.Bytes != alone.Bytes {
			t.Errorf("%d parameters of %d bytes", p.Parameters, p.Bytes)
		}
	}
	// As the wrapper of the public code has both, in one file.
	both := append(of(t, "cosmos", want, "net.", "BF16"), shaped{"other", "F32", []int{1}})
	for i := range both {
		both[i].name = strings.TrimPrefix(strings.TrimPrefix(both[i].name, "net.scales"), "net.text")
		if s := both[i].name; s == "" {
			both[i].name = "scales"
		} else if strings.HasPrefix(s, "_embedder_clip.") {
			both[i].name = "text" + s
		}
	}
	if f := identify(t, zeros("both.safetensors", both...)); f.Adapter == nil || f.Unused != 1 {
		t.Errorf("%+v", f.Adapter)
	} else {
		same(t, f.part(t, weights.RoleTransformer, ""), want)
	}
	if f := identify(t, adapterFile("alone.safetensors", "", "BF16", 768, 6144, 28)); f.Adapter == nil || len(f.Parts) != 0 || f.Complete(false) == nil {
		t.Errorf("alone: %+v", f)
	}
}

// The bytes of an adapter are those of its file, behind those of the transformer.
func TestAdapterBytes(t *testing.T) {
	base := read(t, "../testdata/published/cosmos_extra_pos.safetensors")
	var c dit.CosmosConfig
	if err := weights.Decode(identify(t, base).part(t, weights.RoleTransformer, "").Config, "config", &c); err != nil {
		t.Fatal(err)
	}
	layers, w := c.Layers, 3*c.Hidden()
	values := make([]float32, layers*w)
	for i := range values {
		values[i] = float32(i)
	}
	outputs := []weights.Output{weights.Float32s("scales", op.F32, []int{layers, w}, values)}
	for name, shape := range map[string][]int{"linear_1.weight": {w, 8}, "linear_1.bias": {w}, "linear_2.weight": {w, w}, "linear_2.bias": {w}} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		outputs = append(outputs, weights.Float32s("text_embedder_clip."+name, op.F32, shape, make([]float32, n)))
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		t.Fatal(err)
	}
	p := identify(t, base, File{"a.safetensors", bytes.NewReader(b.Bytes())}).part(t, weights.RoleTransformer, "")
	alone := identify(t, base).part(t, weights.RoleTransformer, "")
	load(t, p)
	if got := content(t, p, "scales"); len(got) != 4*len(values) || !slices.Equal(got[4:8], []byte{0, 0, 0x80, 0x3f}) {
		t.Errorf("the scales are %v", got[:8])
	}
	for _, x := range alone.Index.Tensors {
		if !slices.Equal(content(t, p, x.Name), content(t, alone, x.Name)) {
			t.Errorf("%s is another one", x.Name)
		}
	}
}

// An adapter of another model, of another width or of none that reads one is refused with
// both numbers.
func TestAdaptersOfOthers(t *testing.T) {
	cosmos := zeros("cosmos.safetensors", of(t, "cosmos", cosmos2B(), "net.", "BF16")...)
	adapted := cosmos2B()
	adapted.PooledDim = 768
	flux := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	good := adapterFile("a.safetensors", "", "BF16", 768, 6144, 28)
	narrow := zeros("n.safetensors", shaped{"scales", "F32", []int{28, 6144}}, shaped{"text_embedder_clip.linear_1.weight", "F32", []int{6144, 768}},
		shaped{"text_embedder_clip.linear_1.bias", "F32", []int{6144}}, shaped{"text_embedder_clip.linear_2.weight", "F32", []int{6144, 2048}}, shaped{"text_embedder_clip.linear_2.bias", "F32", []int{6144}})
	for _, c := range []struct {
		says  string
		code  fault.Code
		files []File
	}{
		{"the pooled adapter in b.safetensors adds to vectors of 3840, those of Cosmos-Predict in cosmos.safetensors have 6144", fault.PartsMixed, []File{cosmos, adapterFile("b.safetensors", "", "F32", 768, 3840, 28)}},
		{"has scales for 20 blocks, Cosmos-Predict in cosmos.safetensors has 28", fault.PartsMixed, []File{cosmos, adapterFile("b.safetensors", "", "F32", 768, 6144, 20)}},
		{"is none of FLUX.1 in dev.safetensors", fault.PartsMixed, []File{flux, good}},
		{"is a second one: Cosmos-Predict in both.safetensors has an adapter of a pooled vector of 768", fault.PartsMixed, []File{zeros("both.safetensors", of(t, "cosmos", adapted, "net.", "BF16")...), good}},
		{"two networks for one place, pooled adapter in a.safetensors and pooled adapter in b.safetensors", fault.PartsMixed, []File{cosmos, good, adapterFile("b.safetensors", "", "BF16", 768, 6144, 28)}},
		{`whose tensor "text_embedder_clip.linear_2.weight" is 2048 wide and whose scales are 6144`, fault.ModelUnsupported, []File{cosmos, narrow}},
	} {
		if _, err := Identify(c.files); !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %s", err, c.says)
		}
	}
}
