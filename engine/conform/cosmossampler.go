package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"undertone/engine/sample"
)

// branch is one row of classifier-free guidance.
type branch struct {
	adapter bool
	shift   []float32
	pooled  string // tensor
}

// cosmosRun is a way of making a picture: what the prompt's row and the other are given.
type cosmosRun struct{ cond, uncond branch }

// runs are the plain network, its adapter without a direction, and with one of weight 3 in
// all layers of the prompt's row.
func (m cosmos) runs(delta []float32) map[string]cosmosRun {
	weights := make([]float64, len(m.adapter.Shape().Blocks))
	for i := range weights {
		weights[i] = 3
	}
	silent := branch{adapter: true, pooled: "in.pooled_uncond"}
	return map[string]cosmosRun{
		"plain":   {},
		"adapter": {branch{adapter: true, pooled: "in.pooled"}, silent},
		"guided":  {branch{adapter: true, pooled: "in.pooled", shift: shiftsOf(weights, delta, nil)}, silent},
	}
}

// guess is the picture x₀ that the network points to from x at σ, [C, 1, H, W], with
// classifier-free guidance of a scale where it is not 0; told gets the RMS of every pass.
func (m cosmos) guess(c *check, r cosmosRun, x []float64, shape []int, sigma, time, scale float64, told func(rms float64)) []float64 {
	in := cosmosInput{shape: shape, time: time}
	for _, v := range x {
		in.latent = append(in.latent, float32((1-time)*v))
	}
	one := func(b branch, text string) []float64 {
		in.text, _ = c.get(text)
		in.shift = b.shift
		t := m.plain
		if b.adapter {
			t = m.adapter
			in.pooled, _ = c.get(b.pooled)
		}
		velocity, _ := m.pass(c, t, in)
		if c.err != nil {
			return make([]float64, len(x))
		}
		told(rms(velocity))
		out := make([]float64, len(x))
		for i, v := range velocity {
			out[i] = (1-time)*x[i] - time*float64(v)
		}
		return out
	}
	x0 := one(r.cond, "in.text")
	if scale == 0 {
		return x0
	}
	for i, u := range one(r.uncond, "in.text_neg") {
		x0[i] += scale * (x0[i] - u)
	}
	return x0
}

const (
	cosmosGuidance = 7.0
	noGuidance     = 0.0
)

// pictures compares diffusers' pipeline: Euler's steps between Karras' σ, the latent after
// each and the RMS of every pass.
func (m cosmos) pictures(c *check, delta []float32) {
	stored, _ := c.get("e2e.sigmas")
	short, _ := c.get("e2e.guided4.sigmas")
	list, _ := c.get("sched.sigmas35_f32")
	noise, shape := c.film("e2e.noise")
	if c.err != nil {
		return
	}
	c.same("e2e.sigmas", float32s(sample.Karras(len(stored)-1, true)))
	c.same("e2e.guided4.sigmas", float32s(sample.Karras(len(short)-1, true)))
	c.same("sched.sigmas35_f32", append(float32s(sample.Karras(len(list)-1, false)), 0))
	var t []float32
	for _, s := range stored {
		t = append(t, s/(1+s))
	}
	c.same("e2e.current_t", t)
	runs := m.runs(delta)
	for _, name := range sortedKeys(runs) {
		c.euler(m, "e2e."+name, runs[name], noise, shape, stored, name == "adapter")
	}
	c.euler(m, "e2e.guided4", runs["guided"], noise, shape, short, false)
}

// some are the steps whose latents a reference keeps where it does not keep all.
var some = []int{1, 2, 18, 34, 35}

func (c *check) euler(m cosmos, name string, r cosmosRun, noise []float32, shape []int, sigmas []float32, few bool) {
	x := scaledBy(noise, float64(sigmas[0]))
	var passes []float64
	var latents []float32
	for k := 0; k+1 < len(sigmas) && c.err == nil; k++ {
		sigma, next := float64(sigmas[k]), float64(sigmas[k+1])
		x0 := m.guess(c, r, x, shape, sigma, sigma/(1+sigma), cosmosGuidance, func(v float64) { passes = append(passes, v) })
		for i := range x {
			x[i] += (next - sigma) * (x[i] - x0[i]) / sigma
		}
		if !few || slices.Contains(some, k+1) {
			latents = append(latents, float32s(x)...)
		}
	}
	c.same(name+".latents", latents)
	if c.cases.has(name + ".rms_F") {
		c.sameEach(name+".rms_F", passes)
	}
}

func scaledBy(noise []float32, by float64) (x []float64) {
	for _, v := range noise {
		x = append(x, by*float64(v))
	}
	return x
}

func float32s(x []float64) (out []float32) {
	for _, v := range x {
		out = append(out, float32(v))
	}
	return out
}

// weightsOf is the run of the network whose weights a description names.
func (r *run) weightsOf() (*run, error) {
	name, ok := strings.CutSuffix(strings.Fields(r.desc.WeightsOf + " .")[0], ".safetensors")
	if !ok {
		return nil, fmt.Errorf("its weights_of is %.80q, wanted the name of a file", r.desc.WeightsOf)
	}
	return r.beside(name)
}

// openCosmos opens the network that the description names, and the description. The network
// is closed by whoever opens it.
func (r *run) openCosmos() (other *run, w *network, m cosmos, err error) {
	if other, err = r.weightsOf(); err != nil {
		return nil, nil, m, err
	}
	if w, err = other.upload(other.path(".safetensors"), other.renamed); err != nil {
		return nil, nil, m, err
	}
	if m, err = loadCosmos(other, w, w); err != nil {
		w.close()
		return nil, nil, m, err
	}
	return other, w, m, nil
}

// publishedSampler compares the publisher's samplers on the network that the description
// names: two-step Adams–Bashforth and the few-step path.
func (r *run) publishedSampler() error {
	other, w, m, err := r.openCosmos()
	if err != nil {
		return err
	}
	defer w.close()
	inputs, err := openTensors(other.path(".cases.safetensors"))
	if err != nil {
		return err
	}
	defer inputs.close()
	r.flat = true
	return r.flatCase(func(c *check) error { return m.samplers(c, inputs) })
}

// samplers compares both; what goes in lies beside the network.
func (m cosmos) samplers(c *check, inputs *tensors) error {
	own := c.cases
	within := func(use *tensors, do func()) { c.cases = use; do(); c.cases = own }
	var delta, noise []float32
	var shape []int
	within(inputs, func() {
		psi := m.psi(c, "in.pooled_pos", "in.pooled_neg")
		for i := range psi[0] {
			delta = append(delta, psi[0][i]-psi[1][i])
		}
		noise, shape = c.film("e2e.noise")
	})
	sigmas, _ := c.get("sigmas36")
	few, _ := c.get("fewstep.sigmas")
	renoise, _ := c.get("fewstep.renoise")
	if c.err != nil {
		return c.err
	}
	c.same("sigmas36", float32s(sample.Karras(len(sigmas), false)))
	guess := func(r cosmosRun, x []float64, sigma, scale float64) (x0 []float64) {
		within(inputs, func() { x0 = m.guess(c, r, x, shape, sigma, sigma/(1+sigma), scale, func(float64) {}) })
		return x0
	}
	runs := m.runs(delta)
	for _, name := range []string{"plain", "guided"} {
		r := runs[name]
		m.adamsBashforth(c, "ab2."+name, noise, len(sigmas), func(x []float64, sigma float64) []float64 { return guess(r, x, sigma, cosmosGuidance) })

		x := scaledBy(noise, float64(few[0]))
		var all []float32
		for k := 0; k+1 < len(few) && c.err == nil; k++ {
			x0 := guess(r, x, float64(few[k]), noGuidance)
			all = append(all, float32s(x0)...)
			for i := range x {
				x[i] = x0[i]
				if next := float64(few[k+1]); next > 0 {
					x[i] += next * float64(renoise[k*len(x)+i])
				}
			}
		}
		c.same("fewstep."+name+".x0", all)
	}
	return c.err
}

// adamsBashforth compares a picture of so many evaluations, with the steps that pictures are
// made with: their latents are those of the reference over 1 + σ, and the last is the data.
func (m cosmos) adamsBashforth(c *check, name string, noise []float32, evaluations int, guess func(x []float64, sigma float64) []float64) {
	schedule := sample.Schedule{Kind: "edm", Sampler: "ab2"}
	times := schedule.Sigmas(evaluations, 0)
	x := scaledBy(noise, times[0])
	var kept []float32
	var history sample.History
	for k, step := range schedule.Multisteps(times) {
		if c.err != nil {
			return
		}
		wide := func(at int) []float64 {
			out := make([]float64, len(x))
			for i, v := range x {
				out[i] = v / (1 - times[at])
			}
			return out
		}
		history.Step(step, x, guess(wide(k), times[k]/(1-times[k])))
		if slices.Contains([]int{1, 2, 3, 10, 20, 34, 35}, k+1) {
			kept = append(kept, float32s(wide(k+1))...)
		}
	}
	c.same(name+".latents_after_1_2_3_10_20_34_35", kept)
	c.same(name+".final_clean", float32s(x))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
