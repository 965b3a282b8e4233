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
	}{{"flux_dev", nil}, {"sd35_medium", nil}, {"clip_g", nil}, {"t5", nil}, {"vae_kl", nil}, {"taef1", nil}, {"e2e_flux_dev", []string{"flux_dev", "taef1"}}} {
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
				changed[x.Offset+int64(4*at)+2] ^= 0x20 // a quarter of the value
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
		"a case without tensor": {"t5", func(f files) {
			f.describe(func(d map[string]any) { d["cases"].(map[string]any)["more"] = map[string]any{} })
		}, "t5 more - - FAILED: more.in.ids is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := copied(t, c.prefix)
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

// A prompt shorter than CLIP's table of positions: attention is causal, so its states
// are the first rows of those of the whole prompt.
func TestShortPrompt(t *testing.T) {
	const tokens, width = 12, 48
	f := copied(t, "clip_l")
	src := bytes.NewReader(f.read(".cases.safetensors"))
	index, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	f.tensors(func(all []weights.Output) []weights.Output {
		for i, x := range all {
			shape := map[string][]int{"case1.in.ids": {tokens}, "case1.out.last": {tokens, width}, "case1.out.penultimate": {tokens, width}, "case1.out.penultimate_normed": {tokens, width}}[x.Name]
			if shape == nil {
				continue
			}
			stored, _ := index.Lookup(x.Name)
			data, err := weights.ReadFloat32(src, stored)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = weights.Float32s(x.Name, op.F32, shape, data[:len(data)*tokens/20])
		}
		return all
	})
	for _, x := range run(t, f.prefix).Results {
		if whole := x.Output == "layers" || x.Output == "pooler_output"; !x.OK && !(x.Case == "case1" && whole) {
			t.Error(x)
		}
	}
}

// Schedules: a changed number, and every word that is not known.
func TestSchedules(t *testing.T) {
	for says, change := range map[string]func(s, all map[string]any){
		"sd3_28 sigmas 0.01 FAILED: the limit is 1e-06":              func(s, _ map[string]any) { s["sigmas"].([]any)[1] = 0.9973806238174438 },
		"sd3_28 timesteps 0.001 FAILED: the limit is 1e-06":          func(s, _ map[string]any) { s["timesteps"].([]any)[0] = 999 },
		"sd3_28 toy_trajectory +Inf FAILED":                          func(s, _ map[string]any) { delete(s, "toy_trajectory") },
		`the scheduler "UniPCMultistepScheduler" is not supported`:   func(s, _ map[string]any) { s["scheduler"] = "UniPCMultistepScheduler" },
		`unknown field "use_karras_sigmas"`:                          func(s, _ map[string]any) { s["config"].(map[string]any)["use_karras_sigmas"] = true },
		`unknown field "order"`:                                      func(s, _ map[string]any) { s["order"] = 2 },
		"num_train_timesteps 500":                                    func(s, _ map[string]any) { s["config"].(map[string]any)["num_train_timesteps"] = 500 },
		"mu 1 without a dynamic shift":                               func(s, _ map[string]any) { s["mu"] = 1 },
		"explicit_dmd2_shift1 toy_trajectory +Inf FAILED":            func(_, all map[string]any) { all["_toy"].(map[string]any)["velocity"] = "v = x" },
		"hidream_fast_official_16 toy_trajectory +Inf FAILED":        func(_, all map[string]any) { all["_toy"].(map[string]any)["noises"] = []any{} },
		"schedulers more - - FAILED: the scheduler \"\" is not supp": func(_, all map[string]any) { all["more"] = map[string]any{} },
	} {
		t.Run(says, func(t *testing.T) {
			f := copied(t, "schedulers")
			f.describe(func(d map[string]any) {
				all := d["schedules"].(map[string]any)
				change(all["sd3_28"].(map[string]any), all)
			})
			var said []string
			for _, x := range run(t, f.prefix).Results {
				if !x.OK {
					said = append(said, x.String())
				}
			}
			if all := strings.Join(said, "\n"); !strings.Contains(all, says) {
				t.Errorf("failed:\n%s", all)
			}
		})
	}
}

// The ids of T5's tokenizer: one that is changed, and what is not understood.
func TestTokenizer(t *testing.T) {
	model, err := os.ReadFile(filepath.Join(folder, "tokenizer_t5.model"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(d map[string]any, first map[string]any)
		says   string // of the only failure
	}{
		"unchanged":  {func(map[string]any, map[string]any) {}, ""},
		"another id": {func(_, first map[string]any) { first["ids"] = []int{7, 1} }, "tokenizer_t5 0 ids - FAILED: ids: [1], expected [7 1]"},
		"cut":        {func(_, first map[string]any) { first["truncated"] = true }, "tokenizer_t5 0 truncated - FAILED: truncated: [false], expected [true]"},
		"other pieces": {func(_, first map[string]any) {
			first["text"], first["ids"], first["pieces"] = "a", []int{23, 1}, []string{"a"}
		}, `tokenizer_t5 0 pieces - FAILED: pieces: [▁a], expected [a]`},
		"another field":    {func(_, first map[string]any) { first["offsets"] = []int{1} }, `tokenizer_t5 0 - - FAILED: not understood: json: unknown field "offsets"`},
		"no model":         {func(d, _ map[string]any) { d["model"] = "none.model: lost" }, "tokenizer_t5 - - - FAILED: open "},
		"a model upstairs": {func(d, _ map[string]any) { d["model"] = "../x.model" }, `tokenizer_t5 - - - FAILED: its model "../x.model" is not the name of a file beside it`},
		"CLIP's ids":       {func(d, _ map[string]any) { delete(d, "model") }, "tokenizer_t5 - - - FAILED: these are the ids of CLIP's own vocabulary"},
	} {
		t.Run(name, func(t *testing.T) {
			f := copied(t, "tokenizer_t5")
			f.write(".model", model)
			f.describe(func(d map[string]any) { c.change(d, d["cases"].([]any)[0].(map[string]any)) })
			r := run(t, f.prefix)
			var said []string
			for _, x := range r.Results {
				if !x.OK {
					said = append(said, x.String())
				}
			}
			if c.says == "" && (len(said) > 0 || len(r.Results) != 204) || c.says != "" && (len(said) != 1 || !strings.HasPrefix(said[0], c.says)) {
				t.Errorf("of %d failed %q", len(r.Results), said)
			}
		})
	}
}

// The same weights under other names give the same results, or say why not.
func TestOtherNames(t *testing.T) {
	f := copied(t, "flux_dev")
	data, err := os.ReadFile(filepath.Join(folder, "flux_dev.diffusers.safetensors"))
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
