package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/conform/twin"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/guidance"
)

// cli runs a command line and returns its exit code and what it printed.
func cli(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

// succeed runs a command line that must succeed and returns what it printed.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := cli(args...)
	if code != 0 || stderr != "" {
		t.Fatalf("%v: code %d, %s", args, code, stderr)
	}
	return stdout
}

func TestExitCodesAndErrors(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	broken := tinyModel(t)
	flip(t, filepath.Join(broken, "dit.safetensors"))
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte("just some text, no weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty, endless := filepath.Join(folder, "empty.json"), filepath.Join(folder, "endless")
	if err := os.WriteFile(empty, []byte(`[{"positive":"frog","weight":1},{"weight":2}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(endless, 0o700); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(folder, "large") // as good as /dev/zero, and harmless where there is no limit
	for _, name := range []string{large, filepath.Join(endless, "VERSION")} {
		if err := os.WriteFile(name, make([]byte, 4<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(folder, "out")
	for _, c := range []struct {
		code int
		says string // in what is printed for errors
		args []string
	}{
		{2, "usage: undertone COMMAND", nil},
		{0, "", []string{"help"}},
		{2, `no command "nope"`, []string{"nope"}},
		{0, "usage: undertone convert [FLAGS] MODEL_DIR", []string{"convert", "-h"}},
		{2, "name one model folder", []string{"convert"}},
		{2, "not defined: -bad", []string{"convert", model, "--bad"}},
		{2, "--to Q5_K", []string{"convert", model, "--to", "Q5_K", "--out", out}},
		{2, "the model's own folder", []string{"convert", model, "--out", model + "/."}},
		{1, "no such file", []string{"convert", filepath.Join(folder, "absent"), "--out", out}},
		{1, "The weight file was changed on its way", []string{"convert", broken, "--out", out}},
		{2, "name one weight file", []string{"inspect"}},
		{1, "neither GGUF nor safetensors", []string{"inspect", text}},
		{1, "piece 1 of 1", []string{"inspect", broken}},
		{1, "piece 1 of 1", []string{"generate", broken, "-o", out}},
		{1, "9 steps, this model takes 1 to 8\nChoose a number of steps", []string{"generate", model, "--steps", "9", "-o", out}},
		{1, "0 steps", []string{"generate", model, "--steps", "0", "-o", out}},
		{1, "size 64, this model makes [32 48x32]\nChoose one of the model's sizes", []string{"generate", model, "--size", "64", "-o", out}},
		{1, "size 32x48, this model makes [32 48x32]", []string{"generate", model, "--size", "32x48", "-o", out}},
		{1, "size 0, this model makes", []string{"generate", model, "--size", "0", "-o", out}},
		{2, `invalid value "48x" for flag -size: size "48x", wanted a number of pixels such as 512, or WIDTHxHEIGHT`, []string{"generate", model, "--size", "48x", "-o", out}},
		{2, `size "48×32", wanted a number`, []string{"generate", model, "--size", "48×32", "-o", out}},
		{1, "seed 4294967296, wanted 0 to 4294967295", []string{"generate", model, "--seed", "4294967296", "-o", out}},
		{2, "invalid value \"-1\"", []string{"generate", model, "--seed", "-1", "-o", out}},
		{1, "guidance scale of 31", []string{"generate", model, "--cfg", "31", "-o", out}},
		{1, `pooled vector cannot be "half"; zero, random, prompt, off and guided are possible`, []string{"generate", model, "--ablate-pooled", "half", "-o", out}},
		{1, `tokens cannot be "none"; empty is possible`, []string{"generate", model, "--ablate-tokens", "none", "-o", out}},
		{1, `schedule "stairs:3"`, []string{"generate", model, "--positive", "frog", "--schedule", "stairs:3", "-o", out}},
		{2, "guidance needs words", []string{"generate", model, "--weight", "2", "-o", out}},
		{2, "guidance needs words", []string{"generate", model, "--head", "2", "-o", out}},
		{2, "guidance needs words", []string{"generate", model, "--schedule", "constant", "-o", out}},
		{2, "guidance needs words", []string{"generate", model, "--negative", "", "--weight", "2", "-o", out}},
		{2, "do nothing without a strength: give --weight, or --head", []string{"generate", model, "--positive", "frog", "-o", out}},
		{2, "do nothing without a strength", []string{"generate", model, "--negative", "frog", "--schedule", "constant", "-o", out}},
		{1, "direction 2 of " + empty + " has neither", []string{"generate", model, "--guidance", empty, "-o", out}},
		{1, "large has over 1048576 bytes", []string{"generate", model, "--guidance", large, "-o", out}},
		{1, "has over 1024 bytes", []string{"dist", "--root", endless, "--out", out}},
		{2, `"example.org" is not an address`, []string{"dist", "--url", "example.org"}},
		{2, `"javascript:1" is not an address`, []string{"dist", "--source", "javascript:1"}},
		{2, "has a query or a fragment", []string{"dist", "--url", "https://example.org/?q"}},
		{2, "--guidance FILE stands for", []string{"generate", model, "--weight", "1", "--guidance", text, "-o", out}},
		{1, "not a JSON list of directions", []string{"generate", model, "--guidance", text, "-o", out}},
		{2, "--in and --out", []string{"forward", model}},
		{1, "neither GGUF nor safetensors", []string{"forward", model, "--in", text, "--out", out}},
	} {
		code, _, stderr := cli(c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%v: code %d, wanted %d; it said %q, wanted %q", c.args, code, c.code, stderr, c.says)
		}
	}
	if _, err := os.Stat(filepath.Join(out, "model.json")); err == nil {
		t.Error("a command that failed wrote a model.json")
	}
}

func flip(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestConvertAndInspect(t *testing.T) {
	model := tinyModel(t)
	for _, to := range []string{"Q8_0", "q4_0", "F16", "BF16", "F32"} {
		out := filepath.Join(t.TempDir(), "tiny")
		table := succeed(t, "convert", model, "--to", to, "--out", out)
		lines := strings.Split(strings.TrimSpace(table), "\n")
		if !strings.Contains(lines[0], "relative RMS error") || !strings.HasPrefix(strings.TrimSpace(lines[len(lines)-1]), "all") {
			t.Errorf("%s: the table is\n%s", to, table)
		}
		for _, class := range []string{"dit       linear  " + strings.ToUpper(to), "text    embedding", "vae  convolution", "vector   F32"} {
			if !strings.Contains(strings.Join(strings.Fields(table), " "), strings.Join(strings.Fields(class), " ")) {
				t.Errorf("%s: the table lacks %q:\n%s", to, class, table)
			}
		}
		listing := succeed(t, "inspect", out)
		for _, want := range []string{"Tiny (tiny), family flux", "tokenizer: tokenizer.json", "hashes match", `general.architecture = "flux"`,
			"double_blocks.0.img_attn.qkv.weight", "96 × 32", "total of " + strings.ToUpper(to), "8 × 4 × 3 × 3"} {
			if !strings.Contains(listing, want) {
				t.Errorf("%s: the listing lacks %q", to, want)
			}
		}
		file, what, _ := strings.Cut(succeed(t, "inspect", filepath.Join(out, "dit.gguf")), "\nas a published model: ")
		if !strings.Contains(what, "is a FLUX.1 whose heads are not 128 wide") {
			t.Errorf("%s: as a published model the file is %q", to, what)
		}
		if !strings.Contains(file, "GGUF 3") || !strings.Contains(listing, file) {
			t.Errorf("%s: one file is listed otherwise than within its model:\n%s", to, file)
		}
		// A second conversion over the first gives the same files.
		before := read(t, filepath.Join(out, "dit.gguf"))
		succeed(t, "convert", model, "--to="+to, "--out="+out)
		if !bytes.Equal(before, read(t, filepath.Join(out, "dit.gguf"))) {
			t.Errorf("%s: converted again, the file differs", to)
		}
	}
	if s := succeed(t, "inspect", filepath.Join(model, "vae.safetensors")); !strings.Contains(s, "safetensors, ") || !strings.Contains(s, "total of BF16") {
		t.Error(s)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if prefix, ok := strings.CutSuffix(name, twin.Whole); ok { // may be told by names alone
		b, err = twin.Of(prefix)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGenerate(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	draw := func(args ...string) []byte {
		t.Helper()
		out := filepath.Join(folder, "picture.png") // taken by the picture before
		printed := succeed(t, append([]string{"generate", model, "-o", out}, args...)...)
		if !strings.Contains(printed, "32 × 32") {
			t.Errorf("%v printed %q", args, printed)
		}
		img, err := png.Decode(bytes.NewReader(read(t, out)))
		if err != nil || img.Bounds().Dx() != 32 || img.Bounds().Dy() != 32 {
			t.Fatalf("not a picture of 32 × 32: %v", err)
		}
		return img.(*image.RGBA).Pix // it has no transparent pixel
	}
	plain := draw("--prompt", "a red frog", "--seed", "7")
	term := []string{"--prompt", "a red frog", "--seed", "7", "--positive", "red car", "--negative", "frog", "--head", "-2", "--schedule"}
	steered := draw(append(term, "window:1-2", "--weight", "8")...)
	p, notices, err := recipe.FromPNG(read(t, filepath.Join(folder, "picture.png")), engine.Request{}, recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{recipe.Square(32)}, Blocks: 3}, nil)
	want := engine.Request{Prompt: "a red frog", Seed: 7, Steps: 2, Size: recipe.Square(32), CFG: 1, Guidance: []engine.Term{
		{Positive: "red car", Negative: "frog", Weight: 8, Head: -2, Schedule: guidance.Schedule{Kind: "window", Start: 1, End: 2}},
	}}
	if err != nil || len(notices) != 0 || !reflect.DeepEqual(p.Request, want) || p.Backend != "cpu" || p.Model == "" {
		t.Errorf("the file says %+v, %v, %v", p, notices, err)
	}
	file := filepath.Join(folder, "terms.json")
	if err := os.WriteFile(file, []byte(`[{"positive":"red car","negative":"frog","weight":8,"head":-2,"schedule":{"kind":"window","start":1,"end":2}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want []byte
		same      bool
	}{
		{"the same again", draw("--prompt", "a red frog", "--seed", "7"), plain, true},
		{"the model's own prompt", draw("--seed", "7", "--steps", "2", "--size", "32", "--cfg", "1"), plain, true},
		{"its own pooled vector", draw("--prompt", "a red frog", "--seed", "7", "--ablate-pooled", "prompt:a red frog"), plain, true},
		{"without the pooled vector", draw("--prompt", "a red frog", "--seed", "7", "--ablate-pooled", "zero"), plain, false},
		{"another seed", draw("--prompt", "a red frog", "--seed", "8"), plain, false},
		{"no prompt", draw("--prompt", "", "--seed", "7"), plain, false},
		{"more steps", draw("--prompt", "a red frog", "--seed", "7", "--steps", "3"), plain, false},
		{"weight 0", draw("--seed", "7", "--positive", "red car", "--weight", "0"), plain, true},
		{"steered", steered, plain, false},
		{"steered from a file", draw("--seed", "7", "--guidance", file), steered, true},
		{"steered from another block on", draw(append(term, "window:2-2", "--weight", "8")...), steered, false},
	} {
		if bytes.Equal(c.got, c.want) != c.same {
			t.Errorf("%s: identical %v, wanted %v", c.what, !c.same, c.same)
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A picture that is not square is drawn, written and told of with its two sides.
func TestGenerateSizes(t *testing.T) {
	model, out := tinyModel(t), filepath.Join(t.TempDir(), "picture.png")
	l := recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{recipe.Square(32), {Width: 48, Height: 32}}, Blocks: 3}
	for text, size := range map[string]recipe.Size{"48x32": l.Sizes[1], "32": l.Sizes[0], "32x32": l.Sizes[0]} {
		printed := succeed(t, "generate", model, "--size", text, "--seed", "5", "-o", out)
		if want := fmt.Sprintf("%d × %d, ", size.Width, size.Height); !strings.Contains(printed, want) {
			t.Errorf("--size %s printed %q, wanted %q", text, printed, want)
		}
		img, err := png.Decode(bytes.NewReader(read(t, out)))
		if err != nil || img.Bounds() != image.Rect(0, 0, size.Width, size.Height) {
			t.Errorf("--size %s drew %v: %v", text, img.Bounds(), err)
		}
		p, notices, err := recipe.FromPNG(read(t, out), engine.Request{}, l, nil)
		if err != nil || len(notices) != 0 || p.Size != size || p.Seed != 5 {
			t.Errorf("--size %s: the file says %+v, %v, %v", text, p, notices, err)
		}
	}
}

func TestParseSchedule(t *testing.T) {
	for s, want := range map[string]guidance.Schedule{
		"constant":       {Kind: "constant"},
		"step:5/57":      {Kind: "step", Start: 5, Of: 57},
		"step:1":         {Kind: "step", Start: 1},
		"window:13-29/9": {Kind: "window", Start: 13, End: 29, Of: 9},
		"bumps":          {Kind: "bumps"},
		`{"kind":"intervals","intervals":[{"from":1,"to":3,"weight":0.5}]}`: {Kind: "intervals", Intervals: []guidance.Interval{{From: 1, To: 3, Weight: 0.5}}},
	} {
		if got, err := parseSchedule(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "step", "step:", "step:x", "step:1-2", "step:1/", "window:3", "window:3-", "constant:1", "other:1", "table:1", `{"kind":"step","strat":1}`, `{} {}`, "step:99999999999999999999"} {
		if got, err := parseSchedule(s); err == nil {
			t.Errorf("%q was accepted as %+v", s, got)
		}
	}
}

// An id of the tokenizer without a row in the embedding table is refused when the
// model is loaded, whether or not a prompt would use it.
func TestTokenizerBeyondTheVocabulary(t *testing.T) {
	for old, new := range map[string]string{`"car":7`: `"car":8`, `"added_tokens":[]`: `"added_tokens":[{"id":9,"content":"<x>"}]`} {
		model := tinyModel(t)
		edit(t, model, "tokenizer.json", "tokenizer", old, new)
		code, _, stderr := cli("generate", model, "--prompt", "a frog", "-o", filepath.Join(t.TempDir(), "x.png"))
		if code != 1 || !strings.Contains(stderr, "the text encoder has rows 0 to 7") {
			t.Errorf("%s: code %d, %q", new, code, stderr)
		}
	}
}

// edit changes a file of a model and what the manifest says of it.
func edit(t *testing.T, model, name, role, old, new string) {
	t.Helper()
	text := bytes.Replace(read(t, filepath.Join(model, name)), []byte(old), []byte(new), 1)
	if err := os.WriteFile(filepath.Join(model, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Describe(role, name, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var m weights.Manifest
	if err := json.Unmarshal(read(t, filepath.Join(model, "model.json")), &m); err != nil {
		t.Fatal(err)
	}
	for i := range m.Files {
		if m.Files[i].Role == role {
			m.Files[i] = f
		}
	}
	manifest, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(model, "model.json"), manifest, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFlagsAnywhere(t *testing.T) {
	for line, want := range map[string]string{
		"a --x 1 b": "1 [a b]", "--x=1 a": "1 [a]", "a b --x 1": "1 [a b]", "a -- --x 1": "0 [a --x 1]", "-- a --x": "0 [a --x]", "": "0 []",
	} {
		fs := flags("test", "", &bytes.Buffer{})
		x := fs.Int("x", 0, "")
		if err := fs.Parse(strings.Fields(line)); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if got := fmt.Sprint(*x, " ", fs.Args()); got != want {
			t.Errorf("%q: %s, wanted %s", line, got, want)
		}
	}
}
