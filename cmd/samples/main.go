package main

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"

	"undertone/cmd/internal/shrink"
	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/weights"
	"undertone/guidance"
)

// prompts are drawn from left to right: first all as they are, then all with their
// guidance, with the same seeds. The page names what each is led towards.
var prompts = []struct {
	text          string
	seed          uint32
	towards, away string
	weight        float64
}{
	{"a red car on the beach", 1, "at night", "by day", 2},
	{"two cats in the snow", 5, "at sunset", "by day", 3},
	{"a mushroom in a meadow", 7, "blue", "red", 2},
	{"a frog on the beach", 4, "neon", "clip art", 1.5},
}

// side is that of one picture in the strip, in pixels.
const side = 256

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: samples MODEL_DIR STRIP.jpg PREVIEW.jpg")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, model, out, preview string) error {
	bundle, err := weights.LoadBundle(ctx, weights.Dir(model), "model.json")
	if err != nil {
		return err
	}
	machine := cpu.New(cpu.Options{})
	e, err := engine.Load(ctx, machine, bundle, engine.LoadOptions{})
	if err != nil {
		machine.Close()
		return err
	}
	defer e.Close()
	strip := image.NewRGBA(image.Rect(0, 0, side*2*len(prompts), side))
	for i := range 2 * len(prompts) {
		p := prompts[i%len(prompts)]
		req := e.Defaults()
		req.Prompt, req.Seed, req.Guidance = p.text, p.seed, nil
		if i >= len(prompts) {
			req.Guidance = []engine.Term{{Positive: p.towards, Negative: p.away, Weight: p.weight, Schedule: guidance.Schedule{Kind: "constant"}}}
		}
		r, err := e.Generate(ctx, req, nil)
		if err != nil {
			return fmt.Errorf("%q: %w", p.text, err)
		}
		shrink.Into(strip.Pix[4*side*i:], strip.Stride, side, side, r.Image)
		fmt.Printf("%s, %d directions\n", p.text, len(req.Guidance))
	}
	for name, m := range map[string]image.Image{out: strip, preview: stacked(strip)} {
		if err := weights.WriteFile(name, func(w io.Writer) error { return jpeg.Encode(w, m, &jpeg.Options{Quality: 82}) }); err != nil {
			return err
		}
	}
	return nil
}

// stacked is the strip in two rows, twice as wide as high, as previews of links are: the
// pictures with guidance under those without.
func stacked(strip *image.RGBA) image.Image {
	half := strip.Stride / 2
	m := image.NewRGBA(image.Rect(0, 0, half/4, 2*side))
	for y := range side {
		line := strip.Pix[y*strip.Stride : (y+1)*strip.Stride]
		copy(m.Pix[y*half:], line[:half])
		copy(m.Pix[(side+y)*half:], line[half:])
	}
	return m
}
