package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// renamed is a safetensors file with other names for the same bytes; a name that
// becomes empty is left out.
func renamed(t testing.TB, file, as string, rename func(string) string) File {
	t.Helper()
	f := read(t, file)
	data := make([]byte, f.Source.Size())
	if _, err := f.Source.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	other := map[string]json.RawMessage{}
	for name, x := range header {
		if name != "__metadata__" {
			other[rename(name)] = x
		}
	}
	delete(other, "")
	text, err := json.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	return File{as, bytes.NewReader(append(out, data[8+n:]...))}
}

// klInDiffusers writes the names of an AutoencoderKL of three stages as diffusers does.
func klInDiffusers(name string) string {
	up := regexp.MustCompile(`^decoder\.up\.(\d)\.`)
	if m := up.FindStringSubmatch(name); m != nil {
		k, _ := strconv.Atoi(m[1])
		name = "decoder.up_blocks." + strconv.Itoa(2-k) + "." + name[len(m[0]):]
	}
	return strings.NewReplacer(".block.", ".resnets.", "nin_shortcut", "conv_shortcut", ".upsample.conv", ".upsamplers.0.conv",
		"mid.block_1", "mid_block.resnets.0", "mid.block_2", "mid_block.resnets.1", "mid.attn_1.norm", "mid_block.attentions.0.group_norm",
		"mid.attn_1.q.", "mid_block.attentions.0.to_q.", "mid.attn_1.k.", "mid_block.attentions.0.to_k.", "mid.attn_1.v.", "mid_block.attentions.0.to_v.",
		"mid.attn_1.proj_out", "mid_block.attentions.0.to_out.0", "decoder.norm_out", "decoder.conv_norm_out").Replace(name)
}

// t5InLlamaCPP writes the names of a T5 as llama.cpp does.
func t5InLlamaCPP(name string) string {
	return strings.NewReplacer("encoder.block.", "enc.blk.", "layer.0.layer_norm", "attn_norm", "layer.1.layer_norm", "ffn_norm",
		"layer.0.SelfAttention.relative_attention_bias", "attn_rel_b", "layer.0.SelfAttention.", "attn_", "layer.1.DenseReluDense.wi_0", "ffn_gate",
		"layer.1.DenseReluDense.wi_1", "ffn_up", "layer.1.DenseReluDense.wo", "ffn_down", "encoder.final_layer_norm", "enc.output_norm", "shared.", "token_embd.").Replace(name)
}

// The other ways of naming text encoders and decoders, and all prefixes, give the same
// bytes as the published file.
func TestViewsOfRenamedFiles(t *testing.T) {
	cut := func(prefix string) func(string) string {
		return func(name string) string { return strings.TrimPrefix(name, prefix) }
	}
	put := func(prefix string) func(string) string { return func(name string) string { return prefix + name } }
	for _, c := range []struct {
		file, what string
		rename     func(string) string
	}{
		{"vae_kl", "diffusers", klInDiffusers},
		{"vae_kl", "diffusers in a whole model", func(name string) string { return "vae." + klInDiffusers(name) }},
		{"vae_kl", "a whole model", put("first_stage_model.")}, {"vae_kl", "ComfyUI", put("vae.")},
		{"clip_l", "transformers 5", cut("text_model.")}, {"clip_g", "transformers 5", cut("text_model.")},
		{"clip_l", "ComfyUI", put("text_encoders.clip_l.transformer.")}, {"clip_g", "ComfyUI", put("text_encoders.clip_g.transformer.")},
		{"t5", "llama.cpp", t5InLlamaCPP}, {"t5", "ComfyUI", put("text_encoders.t5xxl.transformer.")},
		{"t5", "embed_tokens", func(name string) string { return strings.Replace(name, "shared.", "encoder.embed_tokens.", 1) }},
		{"taef1", "ComfyUI", put("taesd_decoder.")},
		{"flux_dev", "ComfyUI", put("model.diffusion_model.")}, {"sd35_large", "a whole model", put("model.diffusion_model.")},
	} {
		t.Run(c.file+" "+c.what, func(t *testing.T) {
			name := published + c.file + ".safetensors"
			config := func(folder string) File { return goldenConfig(t, published+c.file+".json", folder) }
			p := only(t, identify(t, renamed(t, name, "d/model.safetensors", c.rename), config("d")))
			q := only(t, identify(t, read(t, name), config(strings.TrimSuffix(published, "/"))))
			if string(p.Config) != string(q.Config) || p.Name != q.Name {
				t.Errorf("%s %s, under the published names %s %s", p.Name, p.Config, q.Name, q.Config)
			}
			a := load(t, p)
			for _, name := range a.names {
				if !bytes.Equal(content(t, p, name), content(t, q, name)) {
					t.Errorf("%s has other bytes", name)
				}
			}
		})
	}
}

// CLIP-G's pooled vector goes through a projection, and a file without it says so.
func TestProjectionIsNeeded(t *testing.T) {
	without := renamed(t, published+"clip_g.safetensors", "text_encoders/g.safetensors", func(name string) string {
		if strings.HasPrefix(name, "text_projection") {
			return ""
		}
		return "text_encoders.clip_g.transformer." + name
	})
	if _, err := Identify([]File{without}); !fault.Is(err, fault.WeightsMissing) || !strings.Contains(err.Error(), `g.safetensors has no tensor "text_projection.weight"`) {
		t.Errorf("without a projection: %v", err)
	}
	projected := read(t, published+"clip_g.safetensors")
	for architecture, want := range map[string]float64{"CLIPTextModel": 0, "CLIPTextModelWithProjection": 64} {
		f := identify(t, projected, textFile(strings.TrimSuffix(published, "/")+"/config.json", `{"hidden_act":"quick_gelu","num_attention_heads":4,"architectures":["`+architecture+`"]}`))
		var c struct {
			Projection float64 `json:"projection_dim"`
		}
		if err := json.Unmarshal(f.part(t, weights.RoleText, "clip_l").Config, &c); err != nil || c.Projection != want {
			t.Errorf("%s: a projection to %g, want %g (%v)", architecture, c.Projection, want, err)
		}
	}
}
