package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// needEncoder loads the encoder before the first reference picture. Whoever makes
// pictures from words alone never fetches it.
func (e *Engine) needEncoder(ctx context.Context) error {
	if e.encoder != nil {
		return nil
	}
	c, _ := e.manifest.Of(weights.RoleEncoder)
	r := e.residency
	back, lazy := r.mark(), r.lazy
	r.lazy = r.limit > 0
	l := &loading{ctx: ctx, be: r, bundle: r.bundle, opt: e.options, total: e.manifest.ComponentBytes(c)}
	encoder, _, err := upload(l, encoders, c)
	r.lazy = lazy
	if err == nil {
		err = e.fitEncoder(encoder)
	}
	if err == nil {
		err = r.Sync(ctx)
	}
	if err != nil {
		back()
		return err
	}
	e.encoder = encoder
	return nil
}

// edits tells whether the model reads reference pictures.
func (e *Engine) edits() bool {
	_, ok := e.manifest.Of(weights.RoleEncoder)
	return ok
}

// fitEncoder checks that an encoder makes the latents that the others read
// (fault.ModelUnsupported).
func (e *Engine) fitEncoder(encoder Encoder) error {
	if a, b := encoder.Shape(), e.decoder.Shape(); a != b {
		return fault.New(fault.ModelUnsupported, "the encoder makes latents of %d channels at 1/%d of the side, the decoder reads %d at 1/%d", a.Channels, a.Downscale, b.Channels, b.Downscale)
	}
	return nil
}

// unchanged is the result of an edit without an instruction: the reference, fitted.
func (e *Engine) unchanged(req Request) *Result {
	image, notice := fit(req.Reference, req.Size)
	return &Result{Image: image, Seed: req.Seed, Parameters: e.parameters(req), Notices: notice, Timings: Timings{StepsMs: []float64{}}}
}

// refer has the encoder make a latent of the reference picture, if there is one.
func (r *run) refer(ctx context.Context) error {
	if r.req.Reference == nil {
		return nil
	}
	image, notice := fit(r.req.Reference, r.req.Size)
	r.result.Notices = append(r.result.Notices, notice...)
	return r.pipeline.refer(ctx, image, r.result.Parameters.Reference.SHA256)
}

// makeReference allocates what a reference picture needs and compiles its encoding.
func (p *pipeline) makeReference(ctx context.Context, encoder Encoder) (err error) {
	shape := p.transformer.Shape()
	if p.given, err = p.new("pixels of the reference", op.F32, p.size.Height*p.size.Width, 3); err != nil {
		return err
	}
	if p.reference, err = p.new("reference", op.F32, p.rows*p.cols, shape.Channels); err != nil {
		return err
	}
	l := op.NewList("reference")
	z := encoder.Encode(l, p.given, p.size.Height, p.size.Width, nil) // [height·width, c]
	l.Patchify(z, p.height, p.width, shape.Patch, false, p.reference) // [S, in]
	p.runReference, err = p.be.Compile(ctx, l)
	return err
}

// refer encodes a fitted picture, unless its pixels are those of the last one.
func (p *pipeline) refer(ctx context.Context, image *Image, sum string) error {
	if p.referred == sum {
		return nil
	}
	p.referred = ""
	if _, err := p.latentOf(ctx, image); err != nil {
		return err
	}
	p.referred = sum
	return nil
}

// latentOf encodes a picture, and leaves its latent in p.reference, too.
func (p *pipeline) latentOf(ctx context.Context, image *Image) ([]float32, error) {
	pixels := make([]float32, 0, 3*image.W*image.H)
	for i, v := range image.RGBA {
		if i%4 != 3 {
			pixels = append(pixels, float32(v)/255)
		}
	}
	if err := p.be.Write(p.given, pixels); err != nil {
		return nil, err
	}
	if err := p.runReference.Run(ctx); err != nil {
		return nil, err
	}
	z, err := p.be.Read(ctx, p.reference)
	if err != nil {
		return nil, err
	}
	if bad := notFinite(z); bad > 0 {
		return nil, fault.New(fault.NotFinite, "%d of the %d values of the reference picture's latent are not numbers", bad, len(z))
	}
	return z, nil
}

// named is a reference as a picture's parameters name it.
func named(r *recipe.Reference) *recipe.Reference {
	if r == nil {
		return nil
	}
	sum := sha256.Sum256(r.Pixels)
	return &recipe.Reference{Width: r.Width, Height: r.Height, SHA256: hex.EncodeToString(sum[:])}
}

// fit brings a reference picture to a size without distorting it: what is transparent
// becomes white, and the largest middle part of the size's shape is resampled, which the
// notice tells where something is left out.
func fit(r *recipe.Reference, size recipe.Size) (image *Image, notice []string) {
	scale := min(float64(r.Width)/float64(size.Width), float64(r.Height)/float64(size.Height))
	left := (float64(r.Width) - scale*float64(size.Width)) / 2
	top := (float64(r.Height) - scale*float64(size.Height)) / 2
	if x, y := math.Round(left), math.Round(top); x > 0 || y > 0 {
		cut, where := int(x), "left and right"
		if y > x {
			cut, where = int(y), "top and bottom"
		}
		notice = []string{fmt.Sprintf("%s%d pixels %s", recipe.NoticeCropped, cut, where)}
	}
	across, down := taps(r.Width, size.Width, left, scale), taps(r.Height, size.Height, top, scale)
	rows := make([]float64, r.Height*size.Width*3) // resampled across
	for y := down[0].from; y < down[len(down)-1].from+len(down[len(down)-1].weights); y++ {
		line := r.Pixels[4*y*r.Width:]
		for x, t := range across {
			out := rows[3*(y*size.Width+x):][:3]
			for i, w := range t.weights {
				p := line[4*(t.from+i):][:4]
				alpha := float64(p[3]) / 255
				for c := range out {
					out[c] += float64(w * (float64(alpha*float64(p[c])) + float64((1-alpha)*255)))
				}
			}
		}
	}
	image = &Image{W: size.Width, H: size.Height, RGBA: make([]byte, 0, 4*size.Width*size.Height)}
	for _, t := range down {
		for x := range size.Width {
			var sum [3]float64
			for i, w := range t.weights {
				for c := range sum {
					sum[c] += float64(w * rows[3*((t.from+i)*size.Width+x)+c])
				}
			}
			for _, v := range sum {
				image.RGBA = append(image.RGBA, byte(math.Round(min(max(v, 0), 255))))
			}
			image.RGBA = append(image.RGBA, 255)
		}
	}
	return image, notice
}

// tap is which pixels of a row or column go into one of a smaller or larger picture.
type tap struct {
	from    int
	weights []float64 // that sum to 1
}

// taps are those of n pixels along a side of length pixels, of which each stands for scale,
// the first from start on. The weights are a triangle of two pixels of the coarser picture:
// linear interpolation where the picture grows, without aliases where it shrinks.
func taps(length, n int, start, scale float64) []tap {
	out := make([]tap, n)
	wide := max(scale, 1)
	for i := range out {
		centre := start + (float64(i)+0.5)*scale - 0.5
		from, to := max(int(math.Ceil(centre-wide)), 0), min(int(math.Floor(centre+wide)), length-1)
		t, sum := tap{from: from}, 0.0
		for k := from; k <= to; k++ {
			w := max(1-math.Abs(float64(k)-centre)/wide, 0)
			t.weights, sum = append(t.weights, w), sum+w
		}
		for k := range t.weights {
			t.weights[k] /= sum
		}
		out[i] = t
	}
	return out
}
