package conform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/conform"
	"undertone/engine/conform/twin"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

const folder = "../testdata/published"

func run(t *testing.T, prefix string) *conform.Report {
	t.Helper()
	report, err := conform.Run(context.Background(), cpu.New(cpu.Options{}), prefix, conform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// files are those of a prefix, in a folder of their own, to be changed.
type files struct {
	t      *testing.T
	prefix string
}

func copied(t *testing.T, prefix string, beside ...string) files {
	t.Helper()
	f := files{t, filepath.Join(t.TempDir(), prefix)}
	for _, name := range append(beside, prefix) {
		for _, ending := range []string{".json", ".safetensors", ".cases.safetensors"} {
			data, err := os.ReadFile(filepath.Join(folder, name+ending))
			if os.IsNotExist(err) {
				continue
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(filepath.Dir(f.prefix), name+ending), data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

func (f files) read(ending string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(f.prefix + ending)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func (f files) write(ending string, data []byte) {
	f.t.Helper()
	if err := os.WriteFile(f.prefix+ending, data, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// describe changes the description.
func (f files) describe(change func(d map[string]any)) {
	f.t.Helper()
	var d map[string]any
	if err := json.Unmarshal(f.read(".json"), &d); err != nil {
		f.t.Fatal(err)
	}
	change(d)
	data, err := json.Marshal(d)
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(".json", data)
}

// tensors changes the list of tensors of the cases.
func (f files) tensors(change func(all []weights.Output) []weights.Output) {
	f.t.Helper()
	data := f.read(".cases.safetensors")
	src := bytes.NewReader(data)
	index, err := weights.Parse(src)
	if err != nil {
		f.t.Fatal(err)
	}
	var all []weights.Output
	for _, t := range index.Tensors {
		x, err := weights.ReadFloat32(src, t)
		if err != nil {
			f.t.Fatal(err)
		}
		all = append(all, weights.Float32s(t.Name, op.F32, t.Shape, x))
	}
	var out bytes.Buffer
	if err := weights.WriteSafetensors(&out, nil, change(all)...); err != nil {
		f.t.Fatal(err)
	}
	f.write(".cases.safetensors", out.Bytes())
}

// failed lists "case output" of what failed.
func failed(r *conform.Report) (out []string) {
	for _, x := range r.Results {
		if !x.OK {
			out = append(out, x.Case+" "+x.Output)
		}
	}
	return out
}

// One changed byte of any tensor of a cases file is seen: in the largest element, and
// in a byte whose change is larger than the limits.
func TestChangedByte(t *testing.T) {
	for _, c := range []struct {
		prefix string
		beside []string
	}{{"flux_dev", nil}, {"sd35_medium", nil}, {"clip_g", nil}, {"t5", nil}, {"vae_kl", nil}, {"taef1", nil}, {"e2e_flux_dev", []string{"flux_dev", "taef1"}}, {"train_cosmos_adapter", []string{"cosmos_predict2"}}} {
		t.Run(c.prefix, func(t *testing.T) {
			t.Parallel()
			f := copied(t, c.prefix, c.beside...)
			data := f.read(".cases.safetensors")
			src := bytes.NewReader(data)
			index, err := weights.Parse(src)
			if err != nil {
				t.Fatal(err)
			}
			if r := run(t, f.prefix); r.Failed() != 0 || len(r.Results) < 1 {
				t.Fatalf("unchanged, %d of %d fail: %q", r.Failed(), len(r.Results), failed(r))
			}
			for i, x := range index.Tensors {
				if i%3 != 0 && strings.Contains(x.Name, ".out.") && c.prefix == "flux_dev" {
					continue // its 50 outputs take their turn: a third is compared
				}
				values, err := weights.ReadFloat32(src, x)
				if err != nil {
					t.Fatal(err)
				}
				at := 0
				for k, v := range values {
					if math.Abs(float64(v)) > math.Abs(float64(values[at])) {
						at = k
					}
				}
				changed := bytes.Clone(data)
				if values[at] == 0 {
					changed[x.Offset+int64(4*at)+3] ^= 0x38 // 2⁻¹⁵, where nothing but zeros is right
				} else {
					changed[x.Offset+int64(4*at)+2] ^= 0x20 // a quarter of the value
				}
				f.write(".cases.safetensors", changed)
				if r := run(t, f.prefix); r.Failed() == 0 {
					t.Errorf("a byte of %s, element %d, is changed and nothing fails", x.Name, at)
				}
			}
		})
	}
}

// One wrong element among thousands does not hide in a mean.
func TestOneElement(t *testing.T) {
	f := copied(t, "flux_dev")
	f.tensors(func(all []weights.Output) []weights.Output { return all })
	data := f.read(".cases.safetensors")
	index, err := weights.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := index.Lookup("case0.out.velocity")
	values, err := weights.ReadFloat32(bytes.NewReader(data), x)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for math.Abs(float64(values[at])) < 1 {
		at++
	}
	data[x.Offset+int64(4*at)+1] ^= 0x08 // 2⁻¹² of the value
	f.write(".cases.safetensors", data)
	r := run(t, f.prefix)
	if got := failed(r); len(got) != 1 || got[0] != "case0 velocity" {
		t.Fatalf("failed: %q", got)
	}
	for _, x := range r.Results {
		if !x.OK && !strings.Contains(x.Why, "the limit for one element is 4e-05") {
			t.Error(x)
		}
	}
}

// Changes of a prefix's files: a tensor less or more, another value in the
// configuration or in the description of a case.
func without(name string) func(f files) {
	return func(f files) {
		f.tensors(func(all []weights.Output) []weights.Output {
			return slices.DeleteFunc(all, func(x weights.Output) bool { return x.Name == name })
		})
	}
}

// with adds a tensor in place of one that is there.
func with(name string, shape ...int) func(f files) {
	n := 1
	for _, side := range shape {
		n *= side
	}
	return func(f files) {
		without(name)(f)
		f.tensors(func(all []weights.Output) []weights.Output {
			return append(all, weights.Float32s(name, op.F32, shape, slices.Repeat([]float32{99}, n)))
		})
	}
}

func config(key string, value any) func(f files) {
	return func(f files) {
		f.describe(func(d map[string]any) { d["config"].(map[string]any)[key] = value })
	}
}

func aCase(name string, key string, value any) func(f files) {
	return func(f files) {
		f.describe(func(d map[string]any) { d["cases"].(map[string]any)[name].(map[string]any)[key] = value })
	}
}

// What is missing or not understood is a failure, and nothing else fails for it.
func TestMissingAndNotUnderstood(t *testing.T) {
	for name, c := range map[string]struct {
		prefix string
		change func(f files)
		says   string
	}{
		"no velocity":          {"flux_dev", without("case1.out.velocity"), "flux_dev case1 velocity - FAILED: case1.out.velocity is missing"},
		"no guided velocity":   {"flux_dev", without("case1.out.const2.velocity"), "case1 const2.velocity - FAILED: case1.out.const2.velocity is missing"},
		"no weights":           {"flux_dev", without("case0.out.mixneg.w"), "case0 mixneg.w - FAILED: case0.out.mixneg.w is missing"},
		"no latent":            {"flux_dev", without("case0.in.latent"), "case0 - - FAILED: case0.in.latent is missing"},
		"another output":       {"flux_dev", with("case0.out.attention", 2), "flux_dev case0 attention - FAILED: not understood"},
		"another input":        {"flux_dev", with("case0.in.control", 2), `flux_dev case0 - - FAILED: the input "control" is not understood`},
		"another case":         {"flux_dev", with("case7.out.velocity", 2), "flux_dev case7 - - FAILED: flux_dev.json does not describe it"},
		"another schedule":     {"flux_dev", with("case0.out.ramp.w", 2), "case0 - - FAILED: ramp.w has 2 weights"},
		"an odd latent":        {"flux_dev", with("case0.in.latent", 16, 5, 14), "case0 - - FAILED: in.latent has the shape [16 5 14]; its sides must be even"},
		"an odd reference":     {"flux_dev", with("case0.in.reference", 16, 2, 3), "case0 - - FAILED: in.reference has the shape [16 2 3]"},
		"a flat latent":        {"flux_dev", with("case0.in.latent", 35, 64), "case0 - - FAILED: in.latent has the shape [35 64], wanted 3 dimensions"},
		"a reference for SD3":  {"sd35_large", with("case0.in.reference", 16, 2, 4), "case0 - - FAILED: a reference picture of 1 × 2 tokens, of which this transformer reads none"},
		"narrow tokens":        {"flux_dev", with("case0.in.tokens", 5, 36), "case0 - - FAILED: the text encoder"},
		"other places":         {"flux_dev", with("case0.in.img_ids", 35, 3), "case0 - - FAILED: in.img_ids are not understood"},
		"an id beyond":         {"t5", with("case0.in.ids", 150), "case0 - - FAILED: in.ids has 99, supported are whole numbers from 0 to 69"},
		"another picture":      {"vae_kl", with("case0.out.image", 3, 8, 8), "vae_kl case0 image - FAILED: it has 1152 numbers, the reference 192"},
		"another latent":       {"vae_kl", with("case0.in.latent", 8, 6, 4), "vae_kl case0 - - FAILED: in.latent has 8 channels, the decoder reads 16"},
		"a loose tensor":       {"t5", with("extra", 2), "t5 extra - - FAILED: t5.json does not describe it"},
		"another form":         {"flux_dev", aCase("case0", "form", "tokens"), `flux_dev case0 - - FAILED: the form "tokens" is not understood`},
		"another time":         {"flux_dev", aCase("case0", "sigma", 0.5), "flux_dev case0 - - FAILED: in.sigma is 0.5371, the description says 0.5"},
		"other blocks":         {"flux_dev", aCase("case0", "blocks", []string{"a"}), "flux_dev case0 blocks - FAILED: blocks: [double_blocks.0.img"},
		"other weights":        {"flux_dev", aCase("case0", "guided", map[string]any{"const2": map[string]any{"w": []float64{2, 2, 1}, "head": 0}}), "flux_dev case0 const2.w - FAILED: the description's weights"},
		"another family":       {"flux_dev", func(f files) { f.describe(func(d map[string]any) { d["family"] = "auraflow" }) }, `flux_dev - - - FAILED: the family "auraflow" is not supported`},
		"no family":            {"flux_dev", func(f files) { f.describe(func(d map[string]any) { delete(d, "family") }) }, "names no family and no pipeline"},
		"no cases":             {"flux_dev", func(f files) { os.Remove(f.prefix + ".cases.safetensors") }, "flux_dev - - - FAILED: "},
		"no weights' file":     {"flux_dev", func(f files) { os.Remove(f.prefix + ".safetensors") }, "flux_dev - - - FAILED: "},
		"no description":       {"flux_dev", func(f files) { os.Remove(f.prefix + ".json") }, "flux_dev - - - FAILED: "},
		"a broken description": {"flux_dev", func(f files) { f.write(".json", []byte(`{"family": 3`)) }, "flux_dev - - - FAILED: "},
		"another depth":        {"flux_dev", config("num_layers", 2), "flux_dev - - - FAILED: the weight file has no tensor"},
		"another patch":        {"flux_dev", config("patch_size", 2), "patch_size 2, supported 1"},
		"other distances":      {"t5", config("relative_attention_max_distance", 256), "up to a distance of 256"},
		"another epsilon":      {"clip_l", config("layer_norm_eps", 1e-6), "layer_norm_eps 1e-06"},
		"another EOS":          {"clip_l", config("eos_token_id", 93), "in.ids have no EOS 93"},
		"a quantization layer": {"vae_kl", config("use_post_quant_conv", true), "use_post_quant_conv true"},
		"other stages":         {"vae_kl", without("case0.out.stages"), "vae_kl case0 stages - FAILED: case0.out.stages is missing"},
		"no picture":           {"taef1", without("case0.out.image"), "taef1 case0 image - FAILED: case0.out.image is missing"},
		"no teacher":           {"train_cosmos_adapter", without("teacher"), "train_cosmos_adapter all teacher - FAILED: teacher is missing"},
		"no loss":              {"train_cosmos_adapter", without("zero.step1.loss"), "train_cosmos_adapter all zero.step1.grad_norms - FAILED: not understood"},
		"another training":     {"train_cosmos_adapter", with("lion.step0.loss", 1), "train_cosmos_adapter all lion.step0.loss - FAILED: not understood"},
		"an odd picture":       {"train_cosmos_adapter", with("in.noise", 2, 16, 1, 8, 5), "all - - FAILED: in.x0 has the shape [2 16 1 8 6] and in.noise [2 16 1 8 5], for 2 times"},
		"a wide pooled vector": {"train_cosmos_adapter", with("in.pooled", 2, 41), "all - - FAILED: in.pooled has 82 numbers, the adapter reads 40 of each of 2"},
		"another norm":         {"train_cosmos_adapter", func(f files) { f.describe(func(d map[string]any) { d["grad_norm_order"] = []string{"gate"} }) }, `its grad_norm_order has "gate", which is no tensor of an adapter`},
		"a network without an adapter": {"train_cosmos_adapter", func(f files) {
			f.describe(func(d map[string]any) { d["weights_of"] = "flux_dev.safetensors" })
		}, "train_cosmos_adapter - - - FAILED: open "},
		"a case without tensor": {"t5", func(f files) {
			f.describe(func(d map[string]any) { d["cases"].(map[string]any)["more"] = map[string]any{} })
		}, "t5 more - - FAILED: more.in.ids is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := copied(t, c.prefix, map[string][]string{"train_cosmos_adapter": {"cosmos_predict2"}}[c.prefix]...)
			c.change(f)
			r := run(t, f.prefix)
			var said []string
			for _, x := range r.Results {
				if !x.OK {
					said = append(said, x.String())
				}
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("%d of %d failed, none says %q:\n%s", r.Failed(), len(r.Results), c.says, all)
			}
		})
	}
}

// The same weights under other names give the same results, or say why not.
func TestOtherNames(t *testing.T) {
	f := copied(t, "flux_dev")
	data, err := twin.Of(filepath.Join(folder, "flux_dev"))
	if err != nil {
		t.Fatal(err)
	}
	f.write(".diffusers.safetensors", data)
	r := run(t, f.prefix)
	half := len(r.Results) / 2
	if r.Failed() != 0 || half < 40 || len(r.Results) != 2*half {
		t.Fatalf("%d of %d failed: %q", r.Failed(), len(r.Results), failed(r))
	}
	for i, x := range r.Results[:half] {
		x.Prefix = "flux_dev.diffusers"
		if r.Results[half+i] != x {
			t.Errorf("%v under the names of diffusers, %v under those of the publisher", r.Results[half+i], x)
		}
	}
	index, err := weights.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := index.Lookup("norm_out.linear.weight")
	data[x.Offset+1] ^= 0x40
	f.write(".diffusers.safetensors", data)
	if r := run(t, f.prefix); r.Failed() == 0 || r.Results[half].Prefix != "flux_dev.diffusers" || slices.ContainsFunc(r.Results[:half], func(x conform.Result) bool { return !x.OK }) {
		t.Errorf("with a changed weight under the names of diffusers %q failed", failed(r))
	}
}

func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := conform.Run(ctx, cpu.New(cpu.Options{}), filepath.Join(folder, "t5"), conform.Options{}); !fault.Is(err, fault.Aborted) {
		t.Errorf("a comparison that was stopped: %v", err)
	}
}
