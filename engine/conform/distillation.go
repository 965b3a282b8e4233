package conform

import (
	"fmt"
	"math"
	"slices"

	"undertone/engine/dit"
)

// distilledFamily is that of files about the training of a pooled adapter: the teacher is the
// network with the prompt's tokens, the student the network with the tokens of no words and
// the adapter, and the loss is the mean squared difference of their velocities.
//
//	in.x0, in.noise [B, C, F, H, W]   in.sigma [B]   in.text [B, T, C]   in.text_uncond [1, T, C]   in.pooled [B, P]
//	teacher, student_scales0 [B, C, F, H, W]
//	RUN.stepK.loss, .grad_norms, .grad.…   before the update K;   RUN.afterK.loss, .scales
//
// What the networks say, and so every loss, is the engine's, on the machine. Gradients are
// computed in float64 by a tape, whatever the machine, and so are the updates.
const distilledFamily = "train_cosmos_adapter"

// trainings are the runs that files tell of.
var trainings = []struct {
	name  string
	zeros bool // of scales, at first
	steps func(parts map[string]*matrix) func()
}{
	{"zero", true, adam},
	{"file", false, descent},
}

// adam is Adam's update with bias correction and no decay.
func adam(parts map[string]*matrix) func() {
	const rate, b1, b2, eps = 1e-2, 0.9, 0.999, 1e-8
	first, second, k := map[string][]float64{}, map[string][]float64{}, 0.0
	for name, p := range parts {
		first[name], second[name] = make([]float64, len(p.x)), make([]float64, len(p.x))
	}
	return func() {
		k++
		for name, p := range parts {
			m, v := first[name], second[name]
			for i, g := range p.grad {
				m[i] += (1 - b1) * (g - m[i])
				v[i] += (1 - b2) * (g*g - v[i])
				p.x[i] -= rate * m[i] / (1 - math.Pow(b1, k)) / (math.Sqrt(v[i]/(1-math.Pow(b2, k))) + eps)
			}
		}
	}
}

// descent is the update of plain gradient descent.
func descent(parts map[string]*matrix) func() {
	const rate = 0.1
	return func() {
		for _, p := range parts {
			addTo(p.x, p.grad, -rate)
		}
	}
}

// Tensors of an adapter.
const (
	adapterScales                  = "scales"
	adapterFirst, adapterFirstBias = "text_embedder_clip.linear_1.weight", "text_embedder_clip.linear_1.bias"
	adapterLast, adapterLastBias   = "text_embedder_clip.linear_2.weight", "text_embedder_clip.linear_2.bias"
)

// distillation compares the training of an adapter of the network that the description names.
func (r *run) distillation() error {
	other, w, m, err := r.openCosmos()
	if err != nil {
		return err
	}
	defer w.close()
	if m.adapter == nil {
		return fmt.Errorf("%s.json tells of no adapter", other.base)
	}
	part, err := other.identified(w.src)
	if err != nil {
		return err
	}
	exact, err := readExact(m.adapter, part)
	if err != nil {
		return err
	}
	r.flat = true
	return r.flatCase(func(c *check) error {
		t := training{check: c, cosmos: m, net: exact, weights: w}
		return t.compare()
	})
}

// training is a comparison of what an adapter learns from one batch of lessons.
type training struct {
	*check
	cosmos
	net     *exactCosmos
	weights *network
	lessons []lesson
}

// lesson is a row of the batch: what both networks see, and what only one does.
type lesson struct {
	cosmosInput // with the teacher's text
	silence     []float32
	teacher     []float32 // what it says
	truth       []float64 // the same by the exact network, of every token
}

func (t *training) compare() error {
	t.read()
	var teacher, student []float32
	for i := range t.lessons {
		l := &t.lessons[i]
		l.teacher, _ = t.pass(t.check, t.plain, l.cosmosInput)
		teacher = append(teacher, l.teacher...)
		if t.err == nil {
			l.truth = t.said(new(tape), l, l.text, nil).x
		}
		student = append(student, t.student(t.silent, l)...)
	}
	t.same("teacher", teacher)
	t.same("student_scales0", student)
	for _, run := range trainings {
		parts := map[string]*matrix{}
		for _, name := range []string{adapterScales, adapterFirst, adapterFirstBias, adapterLast, adapterLastBias} {
			p := t.net.all[name]
			parts[name] = constantOf(p.rows, p.cols, p.x)
			if run.zeros && name == adapterScales {
				clear(parts[name].x)
			}
		}
		t.follow(run.name, parts, run.steps(parts))
	}
	return t.err
}

// read takes the batch apart.
func (t *training) read() {
	x0, shape := t.get("in.x0")
	noise, other := t.get("in.noise")
	sigmas, _ := t.get("in.sigma")
	text, _ := t.get("in.text")
	silence, _ := t.get("in.text_uncond")
	pooled, _ := t.get("in.pooled")
	n := len(sigmas)
	switch {
	case t.err != nil:
		return
	case n == 0 || len(shape) != 5 || shape[0] != n || shape[1] != t.plain.InChannels || !slices.Equal(other, shape):
		t.err = fmt.Errorf("in.x0 has the shape %v and in.noise %v, for %d times", shape, other, n)
	case shape[3]%2 != 0 || shape[4]%2 != 0:
		t.err = fmt.Errorf("in.x0 has the shape %v; its sides must be even", shape)
	case len(pooled) != n*t.adapter.PooledDim:
		t.err = fmt.Errorf("in.pooled has %d numbers, the adapter reads %d of each of %d", len(pooled), t.adapter.PooledDim, n)
	case len(text)%(n*t.plain.ContextDim) != 0 || len(silence)%t.plain.ContextDim != 0:
		t.err = fmt.Errorf("in.text has %d numbers and in.text_uncond %d, the network reads tokens of %d", len(text), len(silence), t.plain.ContextDim)
	}
	if t.err != nil {
		return
	}
	row := func(x []float32, i int) []float32 { return x[i*len(x)/n : (i+1)*len(x)/n] }
	for i, sigma := range sigmas {
		l := lesson{cosmosInput: cosmosInput{shape: shape[1:], text: row(text, i), pooled: row(pooled, i), time: float64(sigma) / (1 + float64(sigma))}, silence: silence}
		for k, v := range row(x0, i) {
			l.latent = append(l.latent, float32((1-l.time)*float64(v)+l.time*float64(row(noise, i)[k])))
		}
		t.lessons = append(t.lessons, l)
	}
}

// student is what the network says without the prompt's tokens, but with an adapter.
func (t *training) student(net *dit.Cosmos, l *lesson) []float32 {
	in := l.cosmosInput
	in.text = l.silence
	v, _ := t.pass(t.check, net, in)
	return v
}

// said is what the exact network says of every token.
func (t *training) said(tape *tape, l *lesson, text []float32, added []*matrix) *matrix {
	rows, cols, width := l.shape[2]/2, l.shape[3]/2, 4*l.shape[0]
	tokens := constantOf(l.shape[1]*rows*cols, width, filmTokens(l.latent, l.shape))
	table := t.net.FilmPositions(l.shape[1], rows, cols, 0)
	return t.net.velocity(tape, tokens, constantOf(len(text)/t.net.ContextDim, t.net.ContextDim, text), l.time, table, added)
}

// follow compares one run, step by step.
func (t *training) follow(name string, parts map[string]*matrix, update func()) {
	for k := 0; t.err == nil; k++ {
		at := fmt.Sprintf("%s.step%d.", name, k)
		if after := fmt.Sprintf("%s.after%d.", name, k); t.cases.has(after + "loss") {
			t.sameEach(after+"loss", t.loss(parts))
			t.same(after+"scales", float32s(parts[adapterScales].x))
		}
		if !t.cases.has(at + "loss") {
			return
		}
		t.sameEach(at+"loss", t.loss(parts))
		t.gradients(parts)
		t.compareGradients(at, parts)
		update()
	}
}

// loss is that of an adapter, on the machine.
func (t *training) loss(parts map[string]*matrix) []float64 {
	values := map[string][]float32{}
	for name, p := range parts {
		values[name] = float32s(p.x)
	}
	if t.err != nil {
		return nil
	}
	kept := len(t.weights.made)
	net, err := dit.LoadCosmos(t.adapter.CosmosConfig, given{t.weights, values})
	if net, err = loaded(t.weights, net, err); err != nil {
		t.err = err
		return nil
	}
	sum, n := 0.0, 0
	for i := range t.lessons {
		l := &t.lessons[i]
		for k, v := range t.student(net, l) {
			off := float64(v) - float64(l.teacher[k])
			sum, n = sum+off*off, n+1
		}
	}
	t.be.Free(t.weights.made[kept:]...)
	t.weights.made = t.weights.made[:kept]
	return []float64{sum / float64(max(n, 1))}
}

// gradients computes those of the loss by every number of an adapter.
func (t *training) gradients(parts map[string]*matrix) {
	for _, p := range parts {
		p.wanted()
	}
	n := len(t.lessons) * len(t.lessons[0].latent)
	for i := range t.lessons {
		l, tape := &t.lessons[i], new(tape)
		pooled := constantOf(1, len(l.pooled), l.pooled)
		hidden := tape.each(tape.linear(pooled, parts[adapterFirst], parts[adapterFirstBias]), silu)
		psi := tape.linear(hidden, parts[adapterLast], parts[adapterLastBias])
		var added []*matrix
		for block := range t.net.Layers {
			added = append(added, tape.mul(psi, tape.rowOf(parts[adapterScales], block)))
		}
		out := t.said(tape, l, l.silence, added)
		slope := make([]float64, len(out.x))
		for k, v := range out.x {
			slope[k] = 2 * (v - l.truth[k]) / float64(n)
		}
		tape.gradients(out, slope)
	}
}

// compareGradients compares them as far as they are stored: of the matrices, the sums of rows
// and the norms.
func (t *training) compareGradients(at string, parts map[string]*matrix) {
	var norms []float64
	for _, name := range t.run.desc.GradNorms {
		p, ok := parts[name]
		if !ok {
			t.err = fmt.Errorf("its grad_norm_order has %.80q, which is no tensor of an adapter", name)
			return
		}
		norms = append(norms, math.Sqrt(dot(p.grad, p.grad)))
	}
	t.sameEach(at+"grad_norms", norms)
	sums := func(name string) (out []float32) {
		p := parts[name]
		for r := range p.rows {
			sum := 0.0
			for _, g := range p.gradRow(r) {
				sum += g
			}
			out = append(out, float32(sum))
		}
		return out
	}
	t.same(at+"grad.scales", float32s(parts[adapterScales].grad))
	t.same(at+"grad.linear_1.bias", float32s(parts[adapterFirstBias].grad))
	t.same(at+"grad.linear_1.weight.row_sums", sums(adapterFirst))
	t.same(at+"grad.linear_2.bias", float32s(parts[adapterLastBias].grad))
	t.same(at+"grad.linear_2.weight.row_sums", sums(adapterLast))
}
