package networks

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine/op"
	"undertone/engine/vae"
)

// bothLayouts runs a test with the weights under their original names, and with the
// same under those of diffusers where the folder of reference files is at hand.
func bothLayouts(t *testing.T, name string, test func(t *testing.T, p *published)) {
	t.Run("original", func(t *testing.T) { test(t, openPublished(t, name)) })
	t.Run("diffusers", func(t *testing.T) {
		file := filepath.Join(root(t), "..", "shared", "goldens", name+".diffusers.safetensors")
		if _, err := os.Stat(file); err != nil {
			t.Skip("there is no folder of reference files beside the repository")
		}
		p := openCases(t, name)
		p.weights = openFile(t, name, file)
		test(t, p)
	})
}

// noPreview is a preview that no test looks at.
func noPreview(channels int) vae.Preview {
	p := vae.Preview{Weight: make([][]float64, 3), Bias: make([]float64, 3)}
	for i := range p.Weight {
		p.Weight[i] = make([]float64, channels)
	}
	return p
}

// tiny loads the decoder.
func (p *published) tiny(be op.Backend) *vae.Tiny {
	t, c := p.weights.t, p.json.Config
	t.Helper()
	n := p.weights.network(be, "")
	config := vae.Config{Kind: "tiny", LatentChannels: c.LatentChannels, Downscale: 1 << (len(c.TinyChannels) - 1), ScalingFactor: 1, Preview: noPreview(c.LatentChannels)}
	for i, channels := range c.TinyChannels {
		config.Stages = append(config.Stages, vae.Stage{Channels: channels, Blocks: c.TinyBlocks[i]})
	}
	m, err := vae.LoadTiny(config, n)
	n.must(t, err)
	return m
}

// kl loads the decoder.
func (p *published) kl(be op.Backend) *vae.KL {
	t, c := p.weights.t, p.json.Config
	t.Helper()
	n := p.weights.network(be, "")
	m, err := vae.LoadKL(vae.KLConfig{Kind: "kl", LatentChannels: c.LatentChannels, Channels: c.KLChannels, Layers: c.KLLayers, Groups: c.KLGroups,
		ScalingFactor: c.Scaling, ShiftFactor: c.Shift, Preview: noPreview(c.LatentChannels)}, n)
	n.must(t, err)
	return m
}

// image is a case's picture [H·W, 3], channels last.
func (p *published) image(name string) (pixels []float32, height, width int) {
	shape, _ := p.cases.index.Lookup(name + ".out.image")
	height, width = shape.Shape[1], shape.Shape[2]
	return channelsLast(p.cases.get(name+".out.image"), 3), height, width
}

// channelsLast turns [channels, pixels] into [pixels, channels].
func channelsLast(x []float32, channels int) []float32 {
	out := make([]float32, 0, len(x))
	pixels := len(x) / channels
	for at := range pixels {
		for c := range channels {
			out = append(out, x[c*pixels+at])
		}
	}
	return out
}

// tinyPicture decodes a latent [channels, h, w] and compares with the case's image,
// which lies between −1 and 1 where the decoder's lies between 0 and 1.
func (p *published) tinyPicture(be op.Backend, m *vae.Tiny, name string, latent []float32, limit float64) {
	want, height, width := p.image(name)
	for i, v := range want {
		want[i] = (v + 1) / 2
	}
	h, w := height/m.Downscale, width/m.Downscale
	b := &bench{golden: p.cases, be: be}
	defer func() { be.Free(b.made...) }()
	pixels := b.run("picture", func(l *op.List) *op.Tensor {
		return m.Decode(l, b.fill("z", h*w, m.LatentChannels, channelsLast(latent, m.LatentChannels)), h, w, nil)
	})
	near(p.cases.t, name+": picture", pixels, want, limit)
}

// klCase decodes a case's latent whole and in strips, and compares the picture and
// the RMS of every stage.
func (p *published) klCase(be op.Backend, m *vae.KL, name string, limit float64) {
	want, height, width := p.image(name)
	stages, down := p.cases.get(name+".out.stages"), m.Shape().Downscale
	latent := channelsLast(p.cases.get(name+".in.latent"), m.LatentChannels)
	b := &bench{golden: p.cases, be: be}
	defer func() { be.Free(b.made...) }()
	z := b.fill("z", height/down*(width/down), m.LatentChannels, latent)
	for _, strips := range []int{1, 3} {
		what, told := fmt.Sprintf("%s in %d strips", name, strips), make([][]*op.Tensor, len(stages))
		keep := func(l *op.List, x *op.Tensor) *op.Tensor { return l.Copy(x, b.fill("kept", x.Rows, x.Cols, nil)) }
		pixels := b.run(what, func(l *op.List) *op.Tensor {
			out, at := b.fill("picture", height*width, 3, nil), 0
			m.Decode(l, z, height/down, width/down, strips, func(stage int, rows []*op.Tensor) {
				for _, x := range rows {
					told[stage] = append(told[stage], keep(l, x))
				}
			}, func(rows *op.Tensor) {
				l.Copy(rows, out.Slice(at, at+rows.Rows))
				at += rows.Rows
			})
			return out
		})
		near(p.cases.t, what, pixels, want, limit)
		for i, parts := range told {
			var x []float32
			for _, part := range parts {
				more, err := be.Read(background(), part)
				if err != nil {
					p.cases.t.Fatal(err)
				}
				x = append(x, more...)
			}
			closeTo(p.cases.t, fmt.Sprintf("%s, stage %d", what, i), rms(x), float64(stages[i]), limit)
		}
		p.drawn(b, m, z, height, width, strips, want)
	}
}

// drawn compares the bytes of a picture with what lies between −1 and 1: they may be
// of either neighbour where it is close to the middle of two.
func (p *published) drawn(b *bench, m *vae.KL, z *op.Tensor, height, width, strips int, want []float32) {
	t, down := p.cases.t, m.Shape().Downscale
	t.Helper()
	rgba, err := b.be.New("rgba", op.U32, 1, height*width)
	if err != nil {
		t.Fatal(err)
	}
	b.made = append(b.made, rgba)
	l := op.NewList("draw")
	m.Draw(l, z, height/down, width/down, strips, rgba)
	program, err := b.be.Compile(background(), l)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if err := program.Run(background()); err != nil {
		t.Fatal(err)
	}
	pixels, err := b.be.ReadU32(background(), rgba)
	if err != nil {
		t.Fatal(err)
	}
	for i, pixel := range pixels {
		for c := range 3 {
			exact := 255 * min(max((float64(want[3*i+c])+1)/2, 0), 1)
			if got := float64(pixel >> (8 * c) & 255); math.Abs(got-exact) > 0.51 {
				t.Fatalf("pixel %d, channel %d is %g, want %g", i, c, got, exact)
			}
		}
		if pixel>>24 != 255 {
			t.Fatalf("pixel %d is not opaque", i)
		}
	}
}
