package weights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/recipe"
	flow "undertone/engine/sample"
	"undertone/engine/tinyjson"
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
		return Float32s(name, op.BF16, shape, drawn(uint64(len(name)), int(n)))
	}
	safetensors("dit", bf16("img_in.weight", 64, 48), bf16("img_in.bias", 64), bf16("double_blocks.0.img_mlp.0.weight", 64, 64))
	safetensors("text", bf16("text_model.embeddings.token_embedding.weight", 9, 32), bf16("text_model.encoder.layers.0.mlp.fc1.weight", 64, 32))
	safetensors("vae", bf16("decoder.layers.1.weight", 8, 4, 3, 3), bf16("decoder.layers.1.bias", 8))
	manifest := tinyManifest()
	for _, role := range roles {
		name := role + ".safetensors"
		if role == tokenizerRole {
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
		Licenses: recipe.Licenses{Weights: "Apache-2.0", Data: "none"},
		Components: []Component{
			{Role: RoleText, Kind: "clip", Name: "clip", Config: json.RawMessage(`{"pad":1}`), File: "text", Tokenizer: Names{"tokenizer"}, Parameters: 2336},
			{Role: RoleTransformer, Kind: "flux", Config: json.RawMessage(`{"hidden_size":64}`), File: "dit", Parameters: 7232},
			{Role: RoleDecoder, Kind: "tiny", Config: json.RawMessage(`{"downscale":2}`), File: "vae", Parameters: 296},
		},
		Scheduler: flow.Schedule{Kind: "flow", Shift: 1.5},
		Defaults:  recipe.Defaults{Steps: 4, Size: recipe.Square(64), CFG: 1, Seed: 1, Prompt: "a frog"}, Sizes: []recipe.Size{recipe.Square(64)}, MaxSteps: 8,
		Presets: []recipe.Preset{{ID: "detail", Title: "Detail", Positive: "<b>", Weight: 1.5, Schedule: tinyjson.Raw(`{"kind":"step","start":1}`)}},
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
		if dit, _ := b.Of(RoleTransformer); b.Name != "tiny" || b.Presets[0].Weight != 1.5 || string(dit.Config) != `{"hidden_size":64}` || b.Parameters().All() != 9864 {
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

// Manifests of both versions that are changed in one place are refused.
func TestHostileManifests(t *testing.T) {
	good := string(tinyModel(t)["model.json"])
	if _, err := ParseManifest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	refuses(t, good, append(hostile2, hostileBoth...))
	if _, err := ParseManifest(bytes.Repeat([]byte(" "), maxManifest+1)); err == nil || !strings.Contains(err.Error(), "262145 bytes, at most 262144") {
		t.Errorf("a manifest over the cap: %v", err)
	}
	old := string(version1(t, tinyModel(t)))
	if _, err := ParseManifest([]byte(old)); err != nil {
		t.Fatal(err)
	}
	refuses(t, old, append(hostile1, hostileBoth...))
}

// change is one change of a good manifest, and what its refusal must say.
type change struct{ name, old, new, say string }

// hostileBoth are changes of a manifest of any version.
var hostileBoth = []change{
	{"not JSON", `{"format"`, `<"format"`, "begins no value"},
	{"another format", ManifestFormat, "undertone-mode1", "undertone-mode1"},
	{"version 0", `"version":`, `"version":0,"was":`, "version 0, supported: 1 to 2"},
	{"version 3", `"version":`, `"version":3,"was":`, "version 3, supported: 1 to 2"},
	{"version 1e400", `"version":`, `"version":1e400,"was":`, "1e400"},
	{"family", `"flux"`, `"SD XL"`, "SD XL"},
	{"duplicate key", `"version":`, `"version":1,"version":`, `"version" is there twice`},
	{"key differing in case", `"version":`, `"Version":1,"version":`, `"Version"`},
	{"escaped duplicate", `"version":`, `"version":1,"\u0076ersion":`, "twice"},
	{"unknown key", `"version":`, `"extra":1,"version":`, "extra"},
	{"null", `"title":"Tiny"`, `"title":null`, "title has 0 bytes"},
	{"depth", `{"kind":"step","start":1}`, strings.Repeat("[", 100) + strings.Repeat("]", 100), "deeper than 12"},
	{"depth 10,000", `{"kind":"step","start":1}`, strings.Repeat("[", 10000), "deeper than 12"},
	{"trailing text", `}]`, `}]} {`, "malformed|behind the end|wanted"},
	{"long string", "a frog", strings.Repeat("a", maxJSONStr+1), "longer than 4096"},
	{"long number", `"seed":1`, `"seed":0.` + strings.Repeat("0", 40), "over 32 characters"},
	{"long array", `"sizes":[64]`, `"sizes":[` + strings.Repeat("64,", maxList) + `64]`, "over 1024 elements"},
	{"many keys", `"title":"Tiny"`, `"title":"Tiny"` + manyKeys(), "over 64 keys"},
	{"name with a slash", `"tiny"`, `"../x"`, "../x"},
	{"empty title", `"title":"Tiny"`, `"title":""`, "title has 0 bytes"},
	{"control character", `"title":"Tiny"`, `"title":"a\u0007"`, "unprintable"},
	{"direction override", `"title":"Tiny"`, `"title":"a\u202eb"`, "unprintable"},
	{"no licence", `"Apache-2.0"`, `""`, "licenses.weights"},
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
	{"size 0", `"bytes":7`, `"bytes":-7`, "-7"},
	{"size 2^63", `"bytes":1`, `"bytes":9223372036854775807,"x":1`, "malformed"},
	{"hash too short", `"pieces":["`, `"pieces":["0`, "64 lower-case"},
	{"hash in capitals", `"pieces":["`, `"pieces":["` + strings.Repeat("A", 64) + `"],"was":["`, "malformed"},
	{"too many pieces", `"pieces":["`, `"pieces":["` + strings.Repeat("0", 64) + `","`, "2 pieces, wanted 1"},
	{"another root", `"sha256":"`, `"sha256":"` + strings.Repeat("0", 64) + `","was":"`, "malformed"},
	{"no steps", `"max_steps":8`, `"max_steps":0`, "max_steps is 0, wanted 1 to 1000"},
	{"too many steps", `"max_steps":8`, `"max_steps":1001`, "1001"},
	{"steps of an edit", `"steps":4,`, `"steps":4,"edit_steps":9,`, "defaults.edit_steps is 9"},
	{"rounding to 8 bits", `"max_steps":8`, `"max_steps":8,"rounding":8`, "rounding is 8, possible is 16"},
	{"default steps", `"steps":4`, `"steps":9`, "defaults.steps is 9, wanted 1 to 8"},
	{"no sizes", `"sizes":[64]`, `"sizes":[]`, "number of sizes is 0"},
	{"huge size", `"sizes":[64]`, `"sizes":[64,8192]`, "sizes[1] is 8192"},
	{"default size", `"size":64`, `"size":65`, "defaults.size 65"},
	{"cfg", `"cfg":1`, `"cfg":31`, "defaults.cfg is 31"},
	{"negative seed", `"seed":1`, `"seed":-1`, "-1"},
	{"preset id", `"id":"detail"`, `"id":"De tail"`, "De tail"},
	{"preset weight", `"weight":1.5`, `"weight":1e9`, "1e+09"},
	{"preset schedule", `{"kind":"step","start":1}`, `7`, "schedule of preset detail must be an object"},
}

// hostile1 are changes of a manifest of version 1.
var hostile1 = []change{
	{"negative parameters", `"dit":7232`, `"dit":-1`, "parameters of the transformer is -1"},
	{"one role twice", `"role":"text"`, `"role":"dit"`, `the name "dit" of text.safetensors must be unique`},
	{"unknown role", `"role":"text"`, `"role":"t5"`, `text.safetensors has the role "t5", wanted one of ["dit" "text" "vae" "tokenizer"]`},
	{"a name of a file", `"role":"text"`, `"role":"text","name":"text"`, "names of files belong to version 2"},
	{"configuration is a list", `{"hidden_size":64}`, `[]`, `"dit" must be an object`},
	{"no text encoder", `"text":{"layout":"clip","pad":1}`, `"text":null`, `"text" must be an object`},
	{"layout is a number", `"layout":"clip"`, `"layout":7`, "text.layout is 7, wanted a word"},
	{"no kind of the decoder", `"kind":"tiny",`, ``, `the kind "" of the decoder`},
	{"shift 0", `"shift":1.5`, `"shift":0`, "defaults.shift is 0, wanted 0.01 to 100"},
	{"components", `"vae":{`, `"components":[],"vae":{`, "components and scheduler belong to version 2"},
	{"scheduler", `"vae":{`, `"scheduler":{"kind":"flow"},"vae":{`, "components and scheduler belong to version 2"},
}

// hostile2 are changes of a manifest of version 2.
var hostile2 = []change{
	{"version 1", `"version":2`, `"version":1`, `components and scheduler belong to version 2`},
	{"a network of version 1", `"scheduler":`, `"dit":{},"scheduler":`, `"dit"`},
	{"parameters of version 1", `"scheduler":`, `"parameters":{},"scheduler":`, `"parameters"`},
	{"a shift among the defaults", `"defaults":{`, `"defaults":{"shift":1,`, `"shift"`},
	{"negative parameters", `"parameters":7232`, `"parameters":-1`, "parameters of the transformer is -1, wanted 1"},
	{"no parameters", `"parameters":7232`, `"parameters":0`, "parameters of the transformer is 0, wanted 1"},
	{"parameters 2^63", `"parameters":2336`, `"parameters":9223372036854775807`, `parameters of the text encoder "clip" is 9223372036854775807`},
	{"unknown role of a component", `"role":"transformer"`, `"role":"unet"`, `the role "unet", wanted "text", "transformer", "decoder" or "encoder"`},
	{"two transformers", `"role":"decoder"`, `"role":"transformer"`, `the role "vae", wanted one of the role "dit"`},
	{"no components", `"components":[`, `"components":[],"was":[`, "malformed"},
	{"another family", `"family":"flux"`, `"family":"sd3"`, `the family is "sd3", the kind of the transformer "flux"`},
	{"kind", `"kind":"tiny"`, `"kind":"../tiny"`, `the kind "../tiny" of the decoder`},
	{"no name", `"name":"clip"`, `"name":""`, `the name "" of a text encoder`},
	{"a name with a space", `"name":"clip"`, `"name":"clip l"`, `the name "clip l" of a text encoder`},
	{"a name of the decoder", `"kind":"tiny"`, `"kind":"tiny","name":"vae"`, "which only text encoders have"},
	{"a tokenizer of the decoder", `"kind":"tiny"`, `"kind":"tiny","tokenizer":"tokenizer"`, "which only text encoders have"},
	{"no tokenizer", `"tokenizer":"tokenizer",`, ``, `the number of files of the tokenizer of the text encoder "clip" is 0, wanted 1 to 2`},
	{"an empty tokenizer", `"tokenizer":"tokenizer",`, `"tokenizer":"",`, `the text encoder "clip" refers to the file "", which is not there`},
	{"three files of a tokenizer", `"tokenizer":"tokenizer",`, `"tokenizer":["tokenizer","tokenizer","tokenizer"],`, `is 3, wanted 1 to 2`},
	{"a number for a tokenizer", `"tokenizer":"tokenizer",`, `"tokenizer":7,`, `model.json is malformed`},
	{"weights as tokenizer", `"tokenizer":"tokenizer"`, `"tokenizer":"vae"`, `the file "vae" of the role "vae", wanted one of the role "tokenizer"`},
	{"another's weights", `"file":"vae"`, `"file":"dit"`, `the file "dit" of the role "dit", wanted one of the role "vae"`},
	{"a file that is not there", `"file":"vae"`, `"file":"vae2"`, `the decoder refers to the file "vae2", which is not there`},
	{"a path as file", `"file":"vae"`, `"file":"vae.safetensors"`, "which is not there"},
	{"one name twice", `"name":"text"`, `"name":"dit"`, `the name "dit" of text.safetensors must be unique`},
	{"no name of a file", `"name":"text"`, `"name":""`, `the name "" of text.safetensors`},
	{"unknown role of a file", `"role":"tokenizer"`, `"role":"t5"`, `tokenizer.json has the role "t5", wanted one of`},
	{"configuration is a list", `{"hidden_size":64}`, `[]`, "the configuration of the transformer must be an object"},
	{"configuration is null", `{"hidden_size":64}`, `null`, "the configuration of the transformer must be an object"},
	{"unknown key of a component", `"kind":"tiny"`, `"kind":"tiny","path":"x"`, `"path"`},
	{"a third encoder without files", `"components":[`, `"components":[{"role":"text","kind":"t5","name":"t5","config":{},"file":"text","tokenizer":"tokenizer","parameters":1},`,
		`the text encoder "clip" refers to the file "text", which belongs to another component`},
	{"one encoder twice", `"components":[`, `"components":[{"role":"text","kind":"t5","name":"clip","config":{},"file":"text","tokenizer":"tokenizer","parameters":1},`,
		`the name "clip" of a text encoder must be unique`},
	{"no scheduler", `"scheduler":{"kind":"flow","shift":1.5},`, ``, `schedule: kind "", supported: ["flow" "edm"]`},
	{"unknown scheduler", `"kind":"flow"`, `"kind":"ddpm"`, `schedule: kind "ddpm"`},
	{"unknown key of the scheduler", `"kind":"flow"`, `"kind":"flow","beta":1`, `"beta"`},
	{"shift", `"shift":1.5`, `"shift":101`, "schedule: shift is 101"},
	{"listed steps", `"kind":"flow","shift":1.5`, `"kind":"flow","sigmas":[1,0.5]`, "max_steps is 8 and defaults.steps 4, the scheduler lists 2 steps"},
	{"frames", `"sizes":[64]`, `"sizes":[64,[64,64,4097]]`, "the frames of sizes[1] is 4097, wanted 0 to 4096"},
}

// refuses makes each change in a good manifest; the refusal must name what it found
// or what it wanted, and cost little memory.
func refuses(t *testing.T, good string, changes []change) {
	t.Helper()
	for _, c := range changes {
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
		{"[64,[64]]", "64", "the size is [64], wanted a whole number, [width, height] or [width, height, frames]"},
		{"[64,[64,48,17]]", "[64,48,17]", ""},
		{"[64,[64,48,0]]", "64", "the size is [64,48,0]"},
		{"[64,[64,48,1,1]]", "64", "the size is [64,48,1,1]"},
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

// TestManifestNear holds the table of everyday words to words.
func TestManifestNear(t *testing.T) {
	good := string(tinyModel(t)["model.json"])
	for near, says := range map[string]string{
		`{"cat":["dog","puppy"]}`: "",
		`{"cat":[""]}`:            "understands.near.cat[0] has 0 bytes",
		`{"":["dog"]}`:            "a word of understands.near has 0 bytes",
		`{"cat":["` + strings.Repeat("a", 201) + `"]}`: "has 201 bytes, wanted 1 to 200",
	} {
		text := strings.Replace(good, `"relations":`, `"near":`+near+`,"relations":`, 1)
		if m, err := ParseManifest([]byte(text)); says == "" && (err != nil || len(m.Understands.Near["cat"]) != 2) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%.40s: %v, wanted %q", near, err, says)
		}
	}
}
