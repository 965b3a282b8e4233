package checkpoint

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
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

// A published file cut in two, transformer and adapter, gives the tensors of the whole one.
func TestAdapterBytes(t *testing.T) {
	const name = published + "cosmos_predict2.safetensors"
	half := func(to string, adapter bool) File {
		return renamed(t, name, to, func(name string) string {
			if adapter != (name == "scales" || strings.HasPrefix(name, "text_embedder_clip.")) {
				return ""
			}
			return name
		})
	}
	whole := identify(t, read(t, name)).part(t, weights.RoleTransformer, "")
	p := identify(t, half("base.safetensors", false), half("adapter.safetensors", true)).part(t, weights.RoleTransformer, "")
	load(t, p)
	if string(p.Config) != string(whole.Config) || len(p.Index.Tensors) != len(whole.Index.Tensors) || p.Parameters != whole.Parameters {
		t.Errorf("%s, %d tensors, %d parameters", p.Config, len(p.Index.Tensors), p.Parameters)
	}
	for _, x := range whole.Index.Tensors {
		if !slices.Equal(content(t, p, x.Name), content(t, whole, x.Name)) {
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
