package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/recipe"
)

// tinyModel is a whole model in memory: one file of each role, with weights of
// every class that Convert knows.
func tinyModel(t testing.TB) Memory {
	t.Helper()
	m := Memory{"README.md": []byte("# Tiny\n"), "tokenizer.json": []byte(`{"version":"1.0"}`)}
	safetensors := func(role string, outputs ...Output) {
		var b bytes.Buffer
		if err := WriteSafetensors(&b, nil, outputs...); err != nil {
			t.Fatal(err)
		}
		m[role+".safetensors"] = b.Bytes()
	}
	bf16 := func(name string, shape ...int) Output {
		n, err := product(name, shape)
		if err != nil {
			t.Fatal(err)
		}
		return Float32s(name, op.BF16, shape, sample(uint64(len(name)), int(n)))
	}
	safetensors("dit", bf16("img_in.weight", 64, 48), bf16("img_in.bias", 64), bf16("double_blocks.0.img_mlp.0.weight", 64, 64))
	safetensors("text", bf16("text_model.embeddings.token_embedding.weight", 9, 32), bf16("text_model.encoder.layers.0.mlp.fc1.weight", 64, 32))
	safetensors("vae", bf16("decoder.layers.1.weight", 8, 4, 3, 3), bf16("decoder.layers.1.bias", 8))
	manifest := tinyManifest()
	for _, role := range roles {
		name := role + ".safetensors"
		if role == "tokenizer" {
			name = "tokenizer.json"
		}
		f, err := Describe(role, name, bytes.NewReader(m[name]))
		if err != nil {
			t.Fatal(err)
		}
		manifest.Files = append(manifest.Files, f)
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	m["model.json"] = text
	return m
}

func tinyManifest() Manifest {
	return Manifest{
		Format: ManifestFormat, Version: ManifestVersion, Name: "tiny", Title: "Tiny", Family: "flux", Revision: "2026-01-01",
		Parameters: recipe.Counts{DiT: 7232, Text: 2336, VAE: 296}, Licenses: recipe.Licenses{Weights: "Apache-2.0", Data: "none"},
		DiT: json.RawMessage(`{"hidden_size":64}`), Text: json.RawMessage(`{"layout":"clip"}`), VAE: json.RawMessage(`{"kind":"tiny"}`),
		Defaults: recipe.Defaults{Steps: 4, Size: recipe.Square(64), Shift: 1, CFG: 1, Seed: 1, Prompt: "a frog"}, Sizes: []recipe.Size{recipe.Square(64)}, MaxSteps: 8,
		Presets: []recipe.Preset{{ID: "detail", Title: "Detail", Positive: "<b>", Weight: 1.5, Schedule: json.RawMessage(`{"kind":"step","start":1}`)}},
	}
}

// A preset need not say how its weight is spread: then over all blocks alike.
func TestPresetWithoutSchedule(t *testing.T) {
	text := tinyModel(t)["model.json"]
	without := bytes.Replace(text, []byte(`,"schedule":{"kind":"step","start":1}`), nil, 1)
	if bytes.Equal(text, without) {
		t.Fatal("the schedule was not found")
	}
	m, err := ParseManifest(without)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.Presets[0].Schedule); got != `{"kind":"constant"}` {
		t.Errorf("got the schedule %s", got)
	}
}

func TestLoadBundle(t *testing.T) {
	ctx, files := t.Context(), tinyModel(t)
	nested := Memory{}
	for name, b := range files {
		nested["some/where/"+name] = b
	}
	for manifest, o := range map[string]Opener{"model.json": files, "some/where/model.json": nested} {
		b, err := LoadBundle(ctx, o, manifest)
		if err != nil {
			t.Fatal(err)
		}
		if b.Name != "tiny" || b.Presets[0].Weight != 1.5 || string(b.DiT) != `{"hidden_size":64}` {
			t.Errorf("%+v", b.Manifest)
		}
		total := int64(0)
		for _, role := range roles {
			src, f, err := b.OpenFile(ctx, role)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Verify(ctx, src, nil); err != nil {
				t.Error(err)
			}
			total += src.Size()
		}
		if b.Bytes() != total {
			t.Errorf("%d bytes to download, the files have %d", b.Bytes(), total)
		}
		if _, _, err := b.OpenFile(ctx, "card"); err == nil {
			t.Error("a file that the manifest does not name was opened")
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	var c struct {
		Width int `json:"hidden_size"`
	}
	if err := Decode([]byte(`{"hidden_size":64}`), "dit", &c); err != nil || c.Width != 64 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{`{"hidden_size":64,"other":1}`, `{"hidden_size":"64"}`, `{"hidden_size":6.5}`, `[]`} {
		if err := Decode([]byte(bad), "dit", &c); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

// Every row changes a good manifest in one place; the refusal must name what it
// found or what it wanted.
func TestHostileManifests(t *testing.T) {
	good := string(tinyModel(t)["model.json"])
	if _, err := ParseManifest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	hash := strings.Repeat("0", 64)
	for _, c := range []struct{ name, old, new, say string }{
		{"not JSON", `{"format"`, `<"format"`, "begins no value"},
		{"another format", ManifestFormat, "undertone-mode1", "undertone-mode1"},
		{"version 0", `"version":1`, `"version":0`, "version 0, supported: 1"},
		{"version 2", `"version":1`, `"version":2`, "version 2, supported: 1"},
		{"version 1e400", `"version":1`, `"version":1e400`, "1e400"},
		{"family", `"flux"`, `"SD XL"`, "SD XL"},
		{"duplicate key", `"version":1`, `"version":1,"version":1`, `"version" is there twice`},
		{"key differing in case", `"version":1`, `"version":1,"Version":2`, `"Version"`},
		{"escaped duplicate", `"version":1`, `"version":1,"\u0076ersion":1`, "twice"},
		{"unknown key", `"version":1`, `"version":1,"extra":1`, "extra"},
		{"null", `"title":"Tiny"`, `"title":null`, "title has 0 bytes"},
		{"depth", `{"kind":"step","start":1}`, strings.Repeat("[", 100) + strings.Repeat("]", 100), "deeper than 12"},
		{"depth 10,000", `{"kind":"step","start":1}`, strings.Repeat("[", 10000), "deeper than 12"},
		{"trailing text", `}]`, `}]} {`, "malformed|behind the end|wanted"},
		{"long string", "a frog", strings.Repeat("a", maxJSONStr+1), "longer than 4096"},
		{"long number", `"seed":1`, `"seed":0.` + strings.Repeat("0", 40), "over 32 characters"},
		{"long array", `"sizes":[64]`, `"sizes":[` + strings.Repeat("64,", maxList) + `64]`, "over 1024 elements"},
		{"many keys", `"version":1`, `"version":1` + manyKeys(), "over 64 keys"},
		{"name with a slash", `"tiny"`, `"../x"`, "../x"},
		{"empty title", `"title":"Tiny"`, `"title":""`, "title has 0 bytes"},
		{"control character", `"title":"Tiny"`, `"title":"a\u0007"`, "unprintable"},
		{"direction override", `"title":"Tiny"`, `"title":"a\u202eb"`, "unprintable"},
		{"no licence", `"Apache-2.0"`, `""`, "licenses.weights"},
		{"negative parameters", `"dit":7232`, `"dit":-1`, "-1"},
		{"path upwards", `dit.safetensors`, `../dit.safetensors`, "../dit.safetensors"},
		{"path upwards inside", `dit.safetensors`, `a/../../dit`, "a/../../dit"},
		{"absolute path", `dit.safetensors`, `/etc/passwd`, "/etc/passwd"},
		{"address", `dit.safetensors`, `https://example.org/x`, "https"},
		{"scheme", `dit.safetensors`, `data:x`, "':'"},
		{"backslash", `dit.safetensors`, `a\\b`, `'\\'`},
		{"query", `dit.safetensors`, `a?b`, `'?'`},
		{"escape", `dit.safetensors`, `a%2e%2e`, `'%'`},
		{"hidden file", `dit.safetensors`, `.git/config`, ".git/config"},
		{"path of 256", `dit.safetensors`, strings.Repeat("a", 256), "256 bytes"},
		{"one path twice", `text.safetensors`, `dit.safetensors`, "two files"},
		{"one role twice", `"role":"text"`, `"role":"dit"`, `"text"`},
		{"unknown role", `"role":"text"`, `"role":"t5"`, `"text"`},
		{"size 0", `"bytes":7`, `"bytes":-7`, "-7"},
		{"size 2^63", `"bytes":1`, `"bytes":9223372036854775807,"x":1`, "malformed"},
		{"hash too short", `"pieces":["`, `"pieces":["0`, "64 lower-case"},
		{"hash in capitals", `"pieces":["`, `"pieces":["` + strings.Repeat("A", 64) + `"],"was":["`, "malformed"},
		{"too many pieces", `"pieces":["`, `"pieces":["` + hash + `","`, "2 pieces, wanted 1"},
		{"another root", `"sha256":"`, `"sha256":"` + hash + `","was":"`, "malformed"},
		{"configuration is a list", `{"hidden_size":64}`, `[]`, `"dit" must be an object`},
		{"no steps", `"max_steps":8`, `"max_steps":0`, "max_steps is 0, wanted 1 to 1000"},
		{"too many steps", `"max_steps":8`, `"max_steps":1001`, "1001"},
		{"default steps", `"steps":4`, `"steps":9`, "defaults.steps is 9, wanted 1 to 8"},
		{"no sizes", `"sizes":[64]`, `"sizes":[]`, "number of sizes is 0"},
		{"huge size", `"sizes":[64]`, `"sizes":[64,8192]`, "sizes[1] is 8192"},
		{"default size", `"size":64`, `"size":65`, "defaults.size 65"},
		{"shift", `"shift":1`, `"shift":0`, "defaults.shift is 0"},
		{"cfg", `"cfg":1`, `"cfg":31`, "defaults.cfg is 31"},
		{"negative seed", `"seed":1`, `"seed":-1`, "-1"},
		{"preset id", `"id":"detail"`, `"id":"De tail"`, "De tail"},
		{"preset weight", `"weight":1.5`, `"weight":1e9`, "1e+09"},
		{"preset schedule", `{"kind":"step","start":1}`, `7`, "schedule of preset detail must be an object"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Errorf("%s: nothing was replaced", c.name)
			continue
		}
		var err error
		used := allocated(func() { _, err = ParseManifest([]byte(text)) })
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		said := false
		for _, s := range strings.Split(c.say, "|") {
			said = said || strings.Contains(err.Error(), s)
		}
		if !said {
			t.Errorf("%s: %v; wanted it to say %q", c.name, err, c.say)
		}
		if used > uint64(2*len(text)+1<<20) {
			t.Errorf("%s: allocated %d bytes for %d", c.name, used, len(text))
		}
	}
	if _, err := ParseManifest(bytes.Repeat([]byte(" "), maxManifest+1)); err == nil || !strings.Contains(err.Error(), "262145 bytes, at most 262144") {
		t.Errorf("a manifest over the cap: %v", err)
	}
}

func manyKeys() string {
	var b strings.Builder
	for i := range maxKeys {
		fmt.Fprintf(&b, `,"k%d":1`, i)
	}
	return b.String()
}

// The sides of a model's pictures are held at the last values that are possible, and
// at the next ones.
func TestManifestSizes(t *testing.T) {
	good := string(tinyModel(t)["model.json"])
	for _, c := range []struct{ sizes, size, says string }{
		{"[64,[16,4096],[4096,16]]", "64", ""},
		{"[64,[64,48]]", "[64,48]", ""},
		{"[[64,64]]", "64", ""},
		{"[64,[15,16]]", "64", "a side of sizes[1] is 15, wanted 16 to 4096"},
		{"[64,[16,15]]", "64", "a side of sizes[1] is 15, wanted 16 to 4096"},
		{"[64,[4097,16]]", "64", "a side of sizes[1] is 4097"},
		{"[64,[16,4097]]", "64", "a side of sizes[1] is 4097"},
		{"[64,[64,48]]", "[48,64]", "defaults.size 48x64 is not among the sizes [64 64x48]"},
		{"[64,[64]]", "64", "the size is [64], wanted a whole number or [width, height]"},
		{"[64,[64,48,1]]", "64", "the size is [64,48,1]"},
		{"[64]", `"64"`, `the size is "64"`},
	} {
		text := strings.Replace(strings.Replace(good, `"sizes":[64]`, `"sizes":`+c.sizes, 1), `"size":64`, `"size":`+c.size, 1)
		m, err := ParseManifest([]byte(text))
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("sizes %s, size %s: %v, wanted %q", c.sizes, c.size, err, c.says)
		}
		if err == nil {
			again, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ParseManifest(again); err != nil {
				t.Errorf("sizes %s: written again, %v", c.sizes, err)
			}
		}
	}
}
