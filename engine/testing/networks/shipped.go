package networks

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/weights"
	"undertone/guidance"
)

// Shipped compares the shipped model, unquantized, with PyTorch: one pass with
// every block's RMS, and from prompt and seed to the latent after all steps, with
// and without modulation guidance, with classifier-free guidance, and the picture.
func Shipped(t *testing.T, be op.Backend, lim Limits) {
	folder := filepath.Join(root(t), "models", "sprites")
	if _, err := os.Stat(filepath.Join(folder, "model.json")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("models/sprites has no model.json: make train makes one, then make golden")
	}
	b, err := weights.LoadBundle(background(), weights.Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	g := openGolden(t, b.Name, &b.Manifest)
	e, err := engine.Load(background(), lent{be}, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()

	var ask struct {
		Prompt, Positive, Negative   string
		Seed                         uint32
		Steps, CfgSteps, Size, Start int
		Cfg, Weight, Head, Time      float64
	}
	var blocks []string
	g.decode("ask", &ask)
	g.decode("blocks", &blocks)

	noise, side := g.get("noise"), int(math.Sqrt(float64(len(g.get("noise"))/16)))
	near(t, "noise", sample.Noise(ask.Seed, 16, side, side), noise, 1e-7)

	got, err := e.Forward(background(), engine.Pass{
		Rows: side / 2, Cols: side / 2, Img: g.get("img"), Txt: g.get("tokens"), Pooled: g.get("pooled"), Time: ask.Time, Shift: g.get("shift"),
	})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "velocity", got.Velocity, g.get("velocity"), lim.Forward)
	want := g.get("rms")
	if len(got.Blocks) != len(want) {
		t.Fatalf("%d blocks, want %d", len(got.Blocks), len(want))
	}
	for i, b := range got.Blocks {
		if b.Name != blocks[i] {
			t.Errorf("block %d is %s, want %s", i, b.Name, blocks[i])
		}
		closeTo(t, b.Name, b.RMS, float64(want[i]), lim.Forward)
	}

	term := engine.Term{Positive: ask.Positive, Negative: ask.Negative, Weight: ask.Weight, Head: ask.Head,
		Schedule: guidance.Schedule{Kind: "step", Start: ask.Start}}
	req := engine.Request{Prompt: ask.Prompt, Seed: ask.Seed, Steps: ask.Steps, Size: recipe.Square(ask.Size), CFG: 1}
	generate := func(req engine.Request) *engine.Result {
		r, err := e.Generate(background(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	near(t, "latent without guidance", generate(req).Latent, g.get("plain"), lim.Latent)
	req.Guidance = []engine.Term{term}
	guided := generate(req)
	near(t, "latent with guidance", guided.Latent, g.get("latent"), lim.Latent)
	req.Steps, req.CFG = ask.CfgSteps, ask.Cfg
	near(t, "latent with both guidances", generate(req).Latent, g.get("cfg"), lim.Latent)

	// The picture, as means over 8 × 8 pixels; each pixel is rounded to 1/255.
	means, cells := g.get("picture"), ask.Size/8
	for i, w := range means {
		row, col, c := i/3/cells, i/3%cells, i%3
		sum := 0.0
		for p := range 64 {
			x, y := col*8+p%8, row*8+p/8
			sum += float64(guided.Image.RGBA[4*(y*ask.Size+x)+c])
		}
		if d := math.Abs(sum/64/255 - float64(w)); !(d <= 0.5/255+lim.Latent) {
			t.Fatalf("the picture's cell %d, %d, channel %d is %g, want %g", row, col, c, sum/64/255, w)
		}
	}
}
