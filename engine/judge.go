package engine

import (
	"context"
	"math"

	"undertone/engine/fault"
	"undertone/engine/judge"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// sees is the judge of a model, once it was asked.
type sees struct {
	*judge.Judge
	weights []*op.Tensor
}

// Judge says what a picture of this model shows. The first call fetches and uploads the
// judge's weights, which stay until the engine is closed.
//
// Errors: RequestInvalid where the model has no judge, or the picture another size than
// it sees; those of weights; Aborted; Busy; Closed.
func (e *Engine) Judge(ctx context.Context, image *Image) (recipe.Judgement, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	about := e.manifest.Judge
	if about == nil {
		return nil, fault.New(fault.RequestInvalid, "the model %.64q has no judge", e.manifest.Name)
	}
	if e.sees == nil {
		if e.sees, err = e.loadJudge(ctx, about); err != nil {
			return nil, explain(ctx, err)
		}
	}
	if size := e.sees.Size; image.W != size || image.H != size {
		return nil, fault.New(fault.RequestInvalid, "a picture of %d × %d pixels, the judge of this model sees %d × %d", image.W, image.H, size, size)
	}
	logits, err := e.sees.Logits(ctx, image.RGBA)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return judgement(about.Attributes, logits), nil
}

// judgement makes probabilities of logits, for the attributes that count.
func judgement(attributes []recipe.Aspect, logits []float32) recipe.Judgement {
	out := recipe.Judgement{}
	for _, a := range attributes {
		own := logits[:len(a.Values)]
		logits = logits[len(a.Values):]
		if a.Judged() {
			out[a.Name] = softmax(own)
		}
	}
	return out
}

func softmax(logits []float32) []float64 {
	most := math.Inf(-1)
	for _, v := range logits {
		most = max(most, float64(v))
	}
	out, sum := make([]float64, len(logits)), 0.0
	for i, v := range logits {
		out[i] = math.Exp(float64(v) - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// kept is the op.Weights of a judge, which notes what was uploaded.
type kept struct {
	*Uploader
	made *[]*op.Tensor
}

func (k kept) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	t := k.Uploader.Get(name, use, rows, cols)
	*k.made = append(*k.made, t)
	return t
}

// loadJudge leaves nothing on the machine when it fails.
func (e *Engine) loadJudge(ctx context.Context, about *weights.Judge) (s *sees, err error) {
	var c judge.Config
	if err := weights.Decode(about.Config, "the judge's configuration", &c); err != nil {
		return nil, err
	}
	src, f, err := e.residency.bundle.OpenFile(ctx, weights.RoleJudge)
	if err != nil {
		return nil, err
	}
	defer weights.Close(src)
	if !e.options.SourceVerifies {
		if err := f.Verify(ctx, src, nil); err != nil {
			return nil, err
		}
	}
	u, err := NewUploader(ctx, e.be, src)
	if err != nil {
		return nil, err
	}
	s = &sees{}
	s.Judge, err = judge.New(ctx, e.be, c, about.Answers(), kept{u, &s.weights})
	if err == nil {
		err = u.Err()
	}
	if err == nil {
		err = e.be.Sync(ctx)
	}
	if err != nil {
		if s.Judge != nil {
			s.Judge.Close()
		}
		e.be.Free(s.weights...)
		return nil, err
	}
	return s, nil
}
