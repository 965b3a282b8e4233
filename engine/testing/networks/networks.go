package networks

import (
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/conform"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
)

// networkWeights uploads what a golden file keeps under a prefix.
type networkWeights struct {
	*engine.Uploader
	prefix string
	made   []*op.Tensor
}

func (g *golden) network(be op.Backend, prefix string) *networkWeights {
	g.t.Helper()
	u, err := engine.NewUploader(background(), be, g.src)
	if err != nil {
		g.t.Fatal(err)
	}
	n := &networkWeights{Uploader: u, prefix: prefix}
	g.t.Cleanup(func() { be.Free(n.made...) })
	return n
}

func (n *networkWeights) Has(name string) bool { return n.Uploader.Has(n.prefix + name) }

func (n *networkWeights) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	t := n.Uploader.Get(n.prefix+name, use, rows, cols)
	n.made = append(n.made, t)
	return t
}

func (n *networkWeights) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	t := n.Uploader.Constant(name, use, rows, cols, values)
	n.made = append(n.made, t)
	return t
}

// must stops a test where loading went wrong.
func (n *networkWeights) must(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		err = n.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// FLUX compares small transformers with PyTorch: the velocity and the residual
// stream after every block, with and without guidance embedding and qkv bias,
// with a shift on every block's vector.
func FLUX(t *testing.T, be op.Backend, lim Limits) {
	for _, name := range []string{"flux_odd", "flux_plain"} {
		t.Run(strings.TrimPrefix(name, "flux_"), func(t *testing.T) {
			g := openGolden(t, name, nil)
			var c dit.FluxConfig
			pass := engine.Pass{Img: g.get("img"), Txt: g.get("txt"), Pooled: g.get("pooled"), Shift: g.get("shift")}
			g.decode("config", &c)
			g.decode("rows", &pass.Rows)
			g.decode("cols", &pass.Cols)
			g.decode("time", &pass.Time)
			g.decode("guidance", &pass.Guidance)
			n := g.network(be, "weights.")
			f, err := dit.LoadFlux(c, n)
			n.must(t, err)
			got, err := engine.Forward(background(), be, f, onlyEncoder(f), pass)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "velocity", got.Velocity, g.get("velocity"), lim.Forward)
			if len(got.Blocks) != 2*c.Depth+c.DepthSingle {
				t.Errorf("%d blocks were read out, want %d", len(got.Blocks), 2*c.Depth+c.DepthSingle)
			}
			for _, b := range got.Blocks {
				closeTo(t, b.Name, b.RMS, rms(g.get("block."+b.Name)), lim.Forward)
			}
		})
	}
}

// onlyEncoder is a text encoder of the widths that a transformer reads.
func onlyEncoder(f *dit.Flux) dit.Encoder {
	return dit.Encoder{Name: "clip", Width: f.ContextDim, Pooled: f.VecDim}
}

// CLIP compares a small text encoder with PyTorch.
func CLIP(t *testing.T, be op.Backend, lim Limits) {
	g := openGolden(t, "clip", nil)
	var c text.Config
	var prompts [][]uint32
	g.decode("config", &c)
	g.decode("prompts", &prompts)
	n := g.network(be, "weights.")
	m, err := text.LoadCLIP(c, n)
	n.must(t, err)
	b := &bench{golden: g, be: be}
	defer func() { be.Free(b.made...) }()
	tokens, pooled := g.get("tokens"), g.get("pooled")
	for i, p := range prompts {
		end := uint32(slices.Index(p, uint32(c.EOS)))
		pass := text.Pass{IDs: b.u32("ids", p), End: b.u32("end", []uint32{end}),
			States: b.fill("tokens", c.MaxLength, c.HiddenSize, nil), Pooled: b.fill("pooled", 1, c.HiddenSize, nil)}
		states := b.run("tokens", func(l *op.List) *op.Tensor {
			m.Encode(l, pass)
			return pass.States
		})
		near(t, "tokens", states, tokens[i*len(states):(i+1)*len(states)], lim.Forward)
		got, err := be.Read(background(), pass.Pooled)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "pooled", got, pooled[i*c.HiddenSize:(i+1)*c.HiddenSize], lim.Forward)
	}
}

// VAE compares a small decoder and its preview with PyTorch.
func VAE(t *testing.T, be op.Backend, lim Limits) {
	var c vae.Config
	g, h, w := openPicture(t, "vae", &c)
	n := g.network(be, "weights.")
	m, err := vae.LoadTiny(c, n)
	n.must(t, err)
	b := &bench{golden: g, be: be}
	defer func() { be.Free(b.made...) }()
	z := b.fixed("z")
	near(t, "picture", b.run("picture", func(l *op.List) *op.Tensor { return m.Decode(l, z, h, w, nil) }), g.get("out"), lim.Forward)
	near(t, "preview", b.run("preview", func(l *op.List) *op.Tensor { return m.LinearPreview(l, z) }), g.get("preview"), lim.Forward)
}

// Encoder compares a small encoder with PyTorch, on sides that no halving leaves whole.
func Encoder(t *testing.T, be op.Backend, lim Limits) {
	var c vae.TinyEncoderConfig
	g, height, width := openPicture(t, "encoder", &c)
	n := g.network(be, "weights.")
	m, err := vae.LoadTinyEncoder(c, n)
	n.must(t, err)
	b := &bench{golden: g, be: be}
	defer func() { be.Free(b.made...) }()
	pixels := b.fixed("pixels")
	near(t, "latent", b.run("latent", func(l *op.List) *op.Tensor { return m.Encode(l, pixels, height, width, nil) }), g.get("z"), lim.Forward)
}

// openPicture opens the golden file of a network that reads or makes pictures: its
// configuration, and the sides of what it has.
func openPicture(t *testing.T, name string, config any) (g *golden, height, width int) {
	t.Helper()
	g = openGolden(t, name, nil)
	g.decode("config", config)
	g.decode("height", &height)
	g.decode("width", &width)
	return g, height, width
}

func closeTo(t *testing.T, what string, got, want, limit float64) {
	t.Helper()
	if !(math.Abs(got-want) <= limit*want) {
		t.Errorf("the RMS of %s is %.9g, want %.9g within %.3g", what, got, want, limit)
	}
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// packed puts a latent [channels, h, w] into image tokens.
func packed(latent []float32, h, w int) []float32 {
	return conform.Patchify(latent, []int{len(latent) / (h * w), h, w})
}
