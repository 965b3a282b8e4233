//go:build unix

package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"undertone/cmd/undertone/internal/site"
	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// passInput writes the input of a pass of the tiny model.
func passInput(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "in.safetensors")
	write(t, name, weights.Float32s("latent", op.F32, []int{1, 16}, make([]float32, 16)), weights.Float32s("tokens", op.F32, []int{1, 32}, make([]float32, 32)),
		weights.Float32s("pooled", op.F32, []int{32}, make([]float32, 32)), weights.Float32s("t", op.F32, nil, []float32{0.5}))
	return name
}

// TestStandardOutput writes pictures and tensors to "-": the bytes alone on standard
// output, the notes on standard error.
func TestStandardOutput(t *testing.T) {
	model, in := tinyModel(t), passInput(t)
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args  []string
		notes string
		check func([]byte) error
	}{
		{[]string{"generate", model, "-o", "-"}, "standard output: 32 × 32", func(b []byte) error { _, err := png.Decode(bytes.NewReader(b)); return err }},
		{[]string{"forward", model, "--in", in, "--out", "-"}, "double_blocks.0", func(b []byte) error { _, err := weights.Parse(bytes.NewReader(b)); return err }},
	} {
		code, stdout, stderr := cli(c.args...)
		if err := c.check([]byte(stdout)); code != 0 || err != nil || !strings.Contains(stderr, c.notes) {
			t.Errorf("%v: code %d, %d bytes (%v), notes %q", c.args, code, len(stdout), err, stderr)
		}
	}
	list, err := os.ReadDir(".")
	if err != nil || len(list) > 0 {
		t.Errorf("it also wrote %v: %v", list, err)
	}
}

// TestStandardOutputByName writes to a file that standard output is redirected to,
// under its own name and under that of the device.
func TestStandardOutputByName(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	for _, name := range []string{"picture.png", "/dev/fd/N"} {
		f, err := os.Create(filepath.Join(folder, "picture.png"))
		if err != nil {
			t.Fatal(err)
		}
		out := f.Name()
		if name != "picture.png" {
			if _, err := os.Stat("/proc/self/fd"); err != nil {
				continue
			}
			out = "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
		}
		var notes bytes.Buffer
		if code := run(context.Background(), []string{"generate", model, "-o", out}, f, &notes); code != 0 || !strings.Contains(notes.String(), "32 × 32") {
			t.Errorf("%s: code %d, %q", name, code, notes.String())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(bytes.NewReader(read(t, f.Name()))); err != nil {
			t.Errorf("%s: the file holds no picture: %v", name, err)
		}
	}
}

// TestOutputNames gives names that cannot or should not be written. All is refused
// before the model is even looked for.
func TestOutputNames(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{2, "-o x.jpg: only png is written: name it x.png", []string{"generate", "absent", "-o", "x.jpg"}},
		{2, "name it a.b/x.v2.png", []string{"generate", "absent", "-o", "a.b/x.v2.webp"}},
		{2, "-o needs the name of a file", []string{"generate", "absent", "-o", ""}},
		{1, "this is a folder", []string{"generate", "absent", "-o", folder}},
		{2, "--out y.gguf: only safetensors is written: name it y.safetensors", []string{"forward", "absent", "--in", "x", "--out", "y.gguf"}},
		{1, "this is a folder", []string{"forward", "absent", "--in", "x", "--out", folder}},
		{2, `--out "-": name a folder`, []string{"convert", "absent", "--out", "-"}},
		{2, `--out "-": name a folder`, []string{"dist", "--out", "-"}},
		{2, `--out "": name a folder`, []string{"dist", "--out", ""}},
		{2, "--zip -: name a folder", []string{"dist", "--zip", "-"}},
		{1, "no such file", []string{"generate", "absent", "-o", "X.PNG"}},
		{1, "no such file", []string{"generate", "absent", "-o", "noextension"}},
		{2, "dist takes flags only", []string{"dist", "folder"}},
		{2, "name one folder, not 2", []string{"serve", "a", "b"}},
		{2, "name one folder, not 2", []string{"bench", "a", "b"}},
	} {
		t.Chdir(t.TempDir())
		code, stdout, stderr := cli(c.args...)
		if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("%v: code %d, wanted %d; it said %q, wanted %q", c.args, code, c.code, stderr, c.says)
		}
		if list, err := os.ReadDir("."); err != nil || len(list) > 0 {
			t.Errorf("%v: it wrote %v: %v", c.args, list, err)
		}
	}
	zero, err := os.Open("/dev/zero") // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer zero.Close()
	var stderr bytes.Buffer
	if code := run(context.Background(), []string{"generate", "absent", "-o", "-"}, zero, &stderr); code != 2 || !strings.Contains(stderr.String(), "a terminal, which cannot show png") {
		t.Errorf("a terminal: code %d, %q", code, stderr.String())
	}
}

// TestOutputsKeepWhatStands writes through a link and to a full disk with every
// command that writes one file.
func TestOutputsKeepWhatStands(t *testing.T) {
	model, in := tinyModel(t), passInput(t)
	for _, args := range [][]string{{"generate", model, "-o"}, {"forward", model, "--in", in, "--out"}} {
		folder := t.TempDir()
		file, link, full := filepath.Join(folder, "file"), filepath.Join(folder, "link"), filepath.Join(folder, "full")
		if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, to := range map[string]string{link: "file", full: "/dev/full"} {
			if err := os.Symlink(to, name); err != nil {
				t.Fatal(err)
			}
		}
		succeed(t, append(args, link)...)
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%v: the link was replaced: %v", args, err)
		}
		if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 || info.Size() < 100 {
			t.Errorf("%v: the file has the mode %v and %d bytes: %v", args, info.Mode(), info.Size(), err)
		}
		if code, _, stderr := cli(append(args, full)...); code != 1 || !strings.Contains(stderr, syscall.ENOSPC.Error()) {
			t.Errorf("%v: a full disk: code %d, %q", args, code, stderr)
		}
		if to, err := os.Readlink(full); err != nil || to != "/dev/full" {
			t.Errorf("%v: the link to the device was replaced: %v", args, err)
		}
	}
}

// TestZipReplacesWhole keeps the former zip where a new one cannot be made.
func TestZipReplacesWhole(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "undertone-1.zip")
	if err := os.WriteFile(name, []byte("former"), 0o600); err != nil {
		t.Fatal(err)
	}
	pack := func(w io.Writer) error {
		return site.Zip(t.Context(), w, "undertone-1", "../..", filepath.Join(folder, "absent"))
	}
	if err := release(name, pack, &bytes.Buffer{}); err == nil {
		t.Error("a site that is not there was packed")
	}
	if s := string(read(t, name)); s != "former" {
		t.Errorf("the former zip holds %q", s)
	}
}

// TestLargeSeeds makes pictures with seeds that do not fit fewer than 32 bits.
func TestLargeSeeds(t *testing.T) {
	model := tinyModel(t)
	e, _, err := load(t.Context(), []string{model}, "", newBar(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	seen := map[string]string{}
	for text, seed := range map[string]uint32{"4294967295": 4294967295, "2147483648": 2147483648, "2147483647": 2147483647, "65536": 65536, "65535": 65535, "0": 0} {
		code, stdout, stderr := cli("generate", model, "--seed", text, "-o", "-")
		if code != 0 {
			t.Fatal(stderr)
		}
		if !strings.Contains(stderr, "seed "+text+",") {
			t.Errorf("seed %s: the notes say %q", text, stderr)
		}
		p, _, err := recipe.FromPNG([]byte(stdout), engine.Request{}, recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{recipe.Square(32)}, Blocks: 3}, nil)
		if err != nil || p.Seed != seed {
			t.Errorf("seed %s: the file says %d: %v", text, p.Seed, err)
		}
		req := e.Defaults()
		req.Seed = seed
		r, err := e.Generate(t.Context(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(strings.NewReader(stdout))
		if err != nil {
			t.Fatal(err)
		}
		if got := picture(r.Image); !samePixels(got, want) {
			t.Errorf("seed %s: the tool's picture is not the engine's", text)
		}
		if other, twice := seen[string(r.Image.RGBA)]; twice {
			t.Errorf("seeds %s and %s give the same picture", text, other)
		}
		seen[string(r.Image.RGBA)] = text
	}
}

func samePixels(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if color.NRGBAModel.Convert(a.At(x, y)) != color.NRGBAModel.Convert(b.At(x, y)) {
				return false
			}
		}
	}
	return true
}
