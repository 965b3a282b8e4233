package conform_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/weights"
)

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
