package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/op"
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
		{1, "size 64, this model makes [32]", []string{"generate", model, "--size", "64", "-o", out}},
		{1, "seed 4294967296, wanted 0 to 4294967295", []string{"generate", model, "--seed", "4294967296", "-o", out}},
		{2, "invalid value \"-1\"", []string{"generate", model, "--seed", "-1", "-o", out}},
		{1, "guidance scale of 31", []string{"generate", model, "--cfg", "31", "-o", out}},
		{1, `schedule "stairs:3"`, []string{"generate", model, "--positive", "frog", "--schedule", "stairs:3", "-o", out}},
		{2, "--guidance FILE stands for", []string{"generate", model, "--weight", "1", "--guidance", text, "-o", out}},
		{1, "not a JSON list of directions", []string{"generate", model, "--guidance", text, "-o", out}},
		{2, "name one model folder, --in and --out", []string{"forward", model}},
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
		file := succeed(t, "inspect", filepath.Join(out, "dit.gguf"))
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
	p, notices, err := recipe.FromPNG(read(t, filepath.Join(folder, "picture.png")), engine.Request{}, recipe.Limits{MaxSteps: 8, Sizes: []int{32}, Blocks: 3})
	want := engine.Request{Prompt: "a red frog", Seed: 7, Steps: 2, Size: 32, CFG: 1, Guidance: []engine.Term{
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

func TestForward(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	quantized, exact := filepath.Join(folder, "q"), filepath.Join(folder, "f")
	succeed(t, "convert", model, "--to", "Q8_0", "--out", quantized)
	succeed(t, "convert", model, "--to", "F32", "--out", exact)
	ramp := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(math.Sin(float64(i)))
		}
		return x
	}
	image := []int{4, 6, 8} // C, H, W: 3 × 4 tokens of 16
	input := func(name string, latent weights.Output) string {
		name = filepath.Join(folder, name)
		write(t, name, latent, weights.Float32s("tokens", op.F32, []int{5, 32}, ramp(160)),
			weights.Float32s("pooled", op.F32, []int{32}, ramp(32)), weights.Float32s("t", op.F32, nil, []float32{0.7}))
		return name
	}
	pass := func(model, in string) (map[string][]float32, string) {
		out := filepath.Join(folder, "out.safetensors")
		printed := succeed(t, "forward", model, "--in", in, "--out", out)
		return readAll(t, out), printed
	}
	chw := input("chw", weights.Float32s("latent", op.F32, image, ramp(192)))
	got, printed := pass(model, chw)
	if len(got["velocity"]) != 192 || len(got["blocks"]) != len(strings.Split(strings.TrimSpace(printed), "\n")) || len(got["blocks"]) < 3 {
		t.Fatalf("%d numbers, %d blocks, printed %q", len(got["velocity"]), len(got["blocks"]), printed)
	}
	if again, _ := pass(exact, chw); !reflect.DeepEqual(again, got) {
		t.Error("the same weights as F32 give another velocity")
	}
	coarse, _ := pass(quantized, chw)
	if e := relative(coarse["velocity"], got["velocity"]); e == 0 || e > 0.1 {
		t.Errorf("with Q8_0 weights the velocity is off by %g", e)
	}
	// A square latent gives the same velocity as tokens and as an image.
	square := []int{4, 6, 6}
	a, _ := pass(model, input("image", weights.Float32s("latent", op.F32, square, ramp(144))))
	b, _ := pass(model, input("tokens", weights.Float32s("latent", op.F32, []int{9, 16}, patchify(ramp(144), square))))
	if !reflect.DeepEqual(unpatchify(b["velocity"], square), a["velocity"]) {
		t.Error("tokens and image give different velocities")
	}
	for what, in := range map[string]string{
		"t is missing among the 3 tensors": timeless(t, folder), "wanted [tokens of a square": input("odd", weights.Float32s("latent", op.F32, []int{8, 16}, ramp(128))),
	} {
		if code, _, stderr := cli("forward", model, "--in", in, "--out", filepath.Join(folder, "x")); code != 1 || !strings.Contains(stderr, what) {
			t.Errorf("code %d, %q; wanted it to say %q", code, stderr, what)
		}
	}
}

// timeless writes an input without a time.
func timeless(t *testing.T, folder string) string {
	t.Helper()
	name := filepath.Join(folder, "timeless")
	write(t, name, weights.Float32s("latent", op.F32, []int{1, 16}, make([]float32, 16)), weights.Float32s("tokens", op.F32, []int{1, 32}, make([]float32, 32)),
		weights.Float32s("pooled", op.F32, []int{32}, make([]float32, 32)))
	return name
}

func write(t *testing.T, name string, outputs ...weights.Output) {
	t.Helper()
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, name string) map[string][]float32 {
	t.Helper()
	src := bytes.NewReader(read(t, name))
	x, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, ts := range x.Tensors {
		if all[ts.Name], err = weights.ReadFloat32(src, ts); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func relative(got, want []float32) float64 {
	var d, n float64
	for i := range want {
		d += math.Pow(float64(got[i])-float64(want[i]), 2)
		n += math.Pow(float64(want[i]), 2)
	}
	return math.Sqrt(d / n)
}

func TestPatchify(t *testing.T) {
	// Two channels of 2 × 4: two tokens, each with c, row, column in that order.
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17}
	want := []float32{0, 1, 4, 5, 10, 11, 14, 15, 2, 3, 6, 7, 12, 13, 16, 17}
	got := patchify(x, []int{2, 2, 4})
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(unpatchify(got, []int{2, 2, 4}), x) {
		t.Errorf("%v, wanted %v", got, want)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{5: "5 bytes", 10 << 10: "10.0 KiB", 15 << 20: "15.0 MiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := abridged(make([]uint32, 1000)); got != "[0 0 0 0 0 0 0 0 … (1,000 values)" {
		t.Error(got)
	}
	if got := abridged(strings.Repeat("ä", 200)); !strings.HasPrefix(got, `"ää`) || !strings.Contains(got, "… (202 characters)") {
		t.Error(got)
	}
	if got := abridged([]string{"a"}) + " " + abridged(int8(-1)); got != "[a] -1" {
		t.Error(got)
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
