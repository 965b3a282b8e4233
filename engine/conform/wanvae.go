package conform

import (
	"fmt"

	"undertone/engine/op"
	"undertone/engine/vae"
)

// wanVAE is Wan's decoder being compared.
type wanVAE struct {
	*vae.Causal3D
	channels int
}

// openWanVAE compares a film drawn frame by frame with a store, its first frame alone, the
// stages of every latent frame, and tiles of the film that are blended.
func openWanVAE(r *run, w *network) (func(c *check) error, error) {
	var config vae.Causal3DConfig
	if err := r.desc.configure(&config); err != nil {
		return nil, err
	}
	x, err := openTensors(r.path(".cases.safetensors"))
	if err != nil {
		return nil, err
	}
	defer x.close()
	for name, at := range map[string]*[]float64{"latents_mean": &config.Mean, "latents_std": &config.Deviation} {
		values, _, err := x.get(name)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			*at = append(*at, float64(v))
		}
	}
	config.Preview = noPreview(config.LatentChannels)
	m, err := vae.LoadCausal3D(config, w)
	if m, err = loaded(w, m, err); err != nil {
		return nil, err
	}
	return wanVAE{m, config.LatentChannels}.check, nil
}

func (m wanVAE) check(c *check) error {
	c.cases.asked["latents_mean"], c.cases.asked["latents_std"] = true, true
	latent, shape := c.shapedAs("in.latent", 4)
	if c.err == nil && shape[0] != m.channels {
		return fmt.Errorf("in.latent has %d channels, the decoder reads %d", shape[0], m.channels)
	}
	if c.err != nil {
		return c.err
	}
	zs := frames(latent, shape)
	h, w := shape[2], shape[3]
	m.scaled(c, zs, shape)
	drawn, stages := m.decode(c, zs, h, w, 1)
	c.same("out.full", film(drawn, 3))
	c.sameEach("rms.by_chunk", stages)
	one, _ := m.decode(c, zs[:1], h, w, 1)
	c.same("out.one_frame", film(one, 3))
	strips := min(3, h)
	cut, _ := m.decode(c, zs, h, w, strips)
	if want, _ := c.get("out.full"); c.err == nil {
		c.nearTo("out.full.strips", film(cut, 3), want)
	}
	if c.cases.has("out.spatial_tiles") {
		c.same("out.spatial_tiles", film(m.tiles(c, zs, h, w), 3))
	}
	return c.err
}

// scaled compares what the decoder makes of the latent before its first layer.
func (m wanVAE) scaled(c *check, zs [][]float32, shape []int) {
	var got [][]float32
	for _, z := range zs {
		one := make([]float32, len(z))
		for i, v := range z {
			ch := i % m.channels
			one[i] = float32(float64(v)*m.Deviation[ch] + m.Mean[ch])
		}
		got = append(got, one)
	}
	c.same("in.z", film(got, shape[0]))
}

// decode returns the frames [H·W, 3], clamped, and the RMS of every latent frame's stages.
func (m wanVAE) decode(c *check, zs [][]float32, h, w, strips int) (drawn [][]float32, stages []float64) {
	var in []*op.Tensor
	for _, z := range zs {
		in = append(in, c.fill("z", h*w, m.channels, z))
	}
	type stage struct{ tensors []*op.Tensor }
	var after []stage
	var pieces []struct {
		frame int
		rows  *op.Tensor
	}
	c.exec("decode", func(l *op.List) {
		m.Decode(l, in, h, w, strips, func(n int, rows []*op.Tensor) {
			var s stage
			for _, x := range rows {
				s.tensors = append(s.tensors, c.keep(l, x))
			}
			after = append(after, s)
		}, func(frame int, rows *op.Tensor) {
			pieces = append(pieces, struct {
				frame int
				rows  *op.Tensor
			}{frame, c.keep(l, rows)})
		})
	})
	for _, s := range after {
		var x []float32
		for _, t := range s.tensors {
			x = append(x, c.read(t)...)
		}
		stages = append(stages, rms(x))
	}
	for _, p := range pieces {
		for len(drawn) <= p.frame {
			drawn = append(drawn, nil)
		}
		for _, v := range c.read(p.rows) {
			drawn[p.frame] = append(drawn[p.frame], min(max(v, -1), 1))
		}
	}
	return drawn, stages
}

// The tiles of the reference, in pixels.
const tileSide, tileStride = 32, 24

// tiles draws the film in squares that overlap, each by itself, and blends them on straight
// lines: what programs do that have no exact strips.
func (m wanVAE) tiles(c *check, zs [][]float32, h, w int) (film [][]float32) {
	d := m.Shape().Downscale
	side, stride, blend := tileSide/d, tileStride/d, tileSide-tileStride
	height, width := h*d, w*d
	var above []tile // of the row above
	for top := 0; top < h; top += stride {
		var row []tile
		for left := 0; left < w; left += stride {
			th, tw := min(side, h-top), min(side, w-left)
			var part [][]float32
			for _, z := range zs {
				var one []float32
				for y := range th {
					at := ((top+y)*w + left) * m.channels
					one = append(one, z[at:at+tw*m.channels]...)
				}
				part = append(part, one)
			}
			drawn, _ := m.decode(c, part, th, tw, 1)
			if c.err != nil {
				return nil
			}
			t := tile{drawn, th * d, tw * d}
			if top > 0 {
				t.blend(above[len(row)], blend, true)
			}
			if left > 0 {
				t.blend(row[len(row)-1], blend, false)
			}
			row = append(row, t)
			if film == nil {
				for range drawn {
					film = append(film, make([]float32, 3*height*width))
				}
			}
			t.put(film, top*d, left*d, height, width, tileStride)
		}
		above = row
	}
	return film
}

// tile is a film of h × w pixels, [h·w, 3] each frame.
type tile struct {
	frames [][]float32
	h, w   int
}

// blend goes over from the end of the tile before, above it or to its left, to this one.
func (t tile) blend(before tile, extent int, vertical bool) {
	if vertical {
		extent = min(extent, before.h, t.h)
	} else {
		extent = min(extent, before.w, t.w)
	}
	for f, x := range t.frames {
		y := before.frames[f]
		for row := range t.h {
			for col := range t.w {
				k, from := col, row*before.w+before.w-extent+col
				if vertical {
					k, from = row, (before.h-extent+row)*before.w+col
				}
				if k >= extent {
					continue
				}
				share := float64(k) / float64(extent)
				for ch := range 3 {
					i := (row*t.w+col)*3 + ch
					x[i] = float32(float64(y[from*3+ch])*(1-share) + float64(x[i])*share)
				}
			}
		}
	}
}

// put writes the first stride rows and columns into a film.
func (t tile) put(film [][]float32, top, left, height, width, stride int) {
	for f, x := range t.frames {
		for row := range min(t.h, stride, height-top) {
			for col := range min(t.w, stride, width-left) {
				copy(film[f][((top+row)*width+left+col)*3:][:3], x[(row*t.w+col)*3:][:3])
			}
		}
	}
}
