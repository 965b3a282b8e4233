package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// An edit reads its reference, and its file names it by its hash; without an instruction
// the file is the reference, cut to the picture's shape.
func TestGenerateReference(t *testing.T) {
	folder := t.TempDir()
	model, given, out := filepath.Join(folder, "model"), filepath.Join(folder, "given.png"), filepath.Join(folder, "out.png")
	networks.WriteEditing(t, model)
	picture := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	for x := range 32 {
		for y := range 16 {
			picture.SetNRGBA(x, y, color.NRGBA{byte(8 * x), byte(16 * y), 90, 255})
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(given, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	draw := func(args ...string) (pixels []byte, printed string) {
		t.Helper()
		os.Remove(out)
		printed = succeed(t, append([]string{"generate", model, "-o", out}, args...)...)
		img, err := png.Decode(bytes.NewReader(read(t, out)))
		if err != nil {
			t.Fatal(err)
		}
		return img.(*image.RGBA).Pix, printed
	}
	plain, _ := draw("--prompt", "red frog")
	edited, printed := draw("--prompt", "red frog", "--reference", given)
	if bytes.Equal(plain, edited) || !strings.Contains(printed, "cut: 8 pixels left and right") {
		t.Errorf("the reference changes nothing, or nothing is said of what was cut: %s", printed)
	}
	limits := recipe.Limits{MaxSteps: 12, Sizes: []recipe.Size{recipe.Square(16)}, Blocks: 5, Edits: true}
	p, _, err := recipe.FromPNG(read(t, out), engine.Request{}, limits, nil)
	if err != nil || p.Reference == nil || p.Reference.Width != 32 || len(p.Reference.SHA256) != 64 {
		t.Errorf("the file names the reference %+v, %v", p.Reference, err)
	}
	asIs, _ := draw("--prompt", "", "--reference", given)
	for i, v := range asIs {
		if x, y := i/4%16+8, i/64; v != picture.Pix[4*(32*y+x)+i%4] {
			t.Fatalf("without an instruction, byte %d is %d", i, v)
		}
	}
	// Directions alone act on the model's own words for leaving it as it is; of no weight, on nothing.
	direction := []string{"--reference", given, "--positive", "at night", "--negative", "in day", "--weight"}
	alone, _ := draw(append(direction, "3", "--prompt", "")...)
	worded, _ := draw(append(direction, "3", "--prompt", "plain")...)
	idle, _ := draw(append(direction, "0", "--prompt", "")...)
	if !bytes.Equal(alone, worded) || bytes.Equal(alone, asIs) || !bytes.Equal(idle, asIs) {
		t.Errorf("directions without an instruction: as with the model's words for none %v, nothing %v, and of no weight nothing %v",
			bytes.Equal(alone, worded), bytes.Equal(alone, asIs), bytes.Equal(idle, asIs))
	}
	text := filepath.Join(folder, "text.png")
	if err := os.WriteFile(text, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, args := range map[string][]string{
		"no such file": {model, "--reference", filepath.Join(folder, "absent.png")},
		"text.png is no picture that can be read; PNG, JPEG and GIF can": {model, "--reference", text},
		"for a model that makes pictures from words alone":               {tinyModel(t), "--reference", given},
		"with --reference, the picture to edit, say what to change":      {model, "--reference", given},
	} {
		if args[len(args)-1] != given || args[0] != model {
			args = append(args, "--prompt", "red")
		}
		if code, _, stderr := cli(append(append([]string{"generate"}, args...), "-o", out)...); code == 0 || !strings.Contains(stderr, says) {
			t.Errorf("%v: code %d, %q; wanted %q", args, code, stderr, says)
		}
	}
}

// The shipped model does what it is told, and leaves alone what it is told to.
func TestShippedEdits(t *testing.T) {
	model, folder := filepath.Join("..", "..", "models", "sprites"), t.TempDir()
	day := filepath.Join(folder, "day.png")
	succeed(t, "generate", model, "--prompt", "a red car in a meadow", "--seed", "3", "-o", day)
	draw := func(instruction string) (mean, red, psnr float64) {
		out := filepath.Join(folder, "out.png")
		os.Remove(out)
		if said := succeed(t, "generate", model, "--prompt", instruction, "--reference", day, "--seed", "4", "-o", out); !strings.Contains(said, " 2 steps") {
			t.Errorf("an edit takes other steps than two: %s", said)
		}
		var pictures [2]*image.RGBA
		for i, path := range []string{day, out} {
			img, err := png.Decode(bytes.NewReader(read(t, path)))
			if err != nil {
				t.Fatal(err)
			}
			pictures[i] = img.(*image.RGBA)
		}
		var squares float64
		for i, v := range pictures[1].Pix {
			d := float64(v) - float64(pictures[0].Pix[i])
			squares += d * d
			mean += float64(v)
			if i%4 == 0 && v > 150 && pictures[1].Pix[i+1] < 90 && pictures[1].Pix[i+2] < 90 {
				red++
			}
		}
		n := float64(len(pictures[1].Pix))
		return mean / n, red, 10 * math.Log10(255*255*n/squares)
	}
	kept, red, psnr := draw("keep it as it is")
	if psnr < 24 || red < 1000 {
		t.Errorf("the picture to keep comes back at %.1f dB with %g red pixels", psnr, red)
	}
	if night, _, _ := draw("make it night"); night > 0.8*kept {
		t.Errorf("by night the mean of the pixels is %.0f, by day %.0f", night, kept)
	}
	if _, blue, _ := draw("turn the car blue"); blue > red/4 {
		t.Errorf("the blue car has %g of %g red pixels", blue, red)
	}
}
