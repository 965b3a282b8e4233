package networks

import (
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
)

// schedules makes pictures with every kind of schedule that a manifest can describe,
// and compares each with a loop over single passes, written out here.
func schedules(t *testing.T, be op.Backend) {
	h := &hearing{be, map[string][]*op.Tensor{}, map[*op.Tensor][]uint32{}}
	e := newFixture(t).load(h)
	picture(t, e, frog)
	read := func(name string) []float32 {
		data, err := be.Read(background(), h.made[name][0])
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	states, pooled := read("tokens"), read("pooled vector")
	for name, s := range map[string]sample.Schedule{
		"a shift": {Kind: "flow", Shift: 3}, "of SD3": {Kind: "flow", Shift: 3, List: "sd3"},
		"dynamic": {Kind: "flow", Dynamic: &sample.Dynamic{Base: -1, Max: 2, Tokens: [2]int{4, 40000}}},
		"given":   {Kind: "flow", Given: []float64{1, 0.7, 0.25}},
		"lcm":     {Kind: "flow", Shift: 3, List: "sd3", Sampler: "lcm"},
	} {
		for _, size := range []recipe.Size{recipe.Square(16), {Width: 24, Height: 16}} {
			f := newFixture(t)
			f.schedule = s
			req := frog
			req.Steps, req.Size, req.Preview = 3, size, true
			if n := s.FixedSteps(); n > 0 {
				f.steps, f.maxSteps = n, n
			}
			m := f.load(be)
			var previews []*engine.Image
			r, err := m.Generate(background(), req, func(s engine.StepEvent) { previews = append(previews, s.Preview) })
			if err != nil {
				t.Fatal(err)
			}
			height, width := size.Height/4, size.Width/4
			tokens := func(z []float32) []float32 { return packed(planes(z, height*width), height, width) }
			x := tokens(sample.Noise(req.Seed, 5, height, width))
			sigmas := s.Sigmas(3, height*width/4)
			for k := range 3 {
				got, err := e.Forward(background(), engine.Pass{Rows: height / 2, Cols: width / 2, Img: x, Txt: states, Pooled: pooled, Time: sigmas[k]})
				if err != nil {
					t.Fatal(err)
				}
				noise := tokens(sample.StepNoise(req.Seed, k, 5, height, width))
				for i, v := range got.Velocity {
					if s.Stochastic() {
						data := float64(x[i]) - sigmas[k]*float64(v)
						x[i] = float32((1-sigmas[k+1])*data + sigmas[k+1]*float64(noise[i]))
						continue
					}
					x[i] += float32(sigmas[k+1]-sigmas[k]) * v
				}
			}
			near(t, name+" of "+size.String(), tokens(r.Latent), x, 1e-6)
			if s.Stochastic() {
				// What a step shows is the data that it went to, without the noise that it added:
				// of the first of many steps it is what a picture of one step shows.
				once := req
				once.Steps = 1
				want := preview(t, m, once).RGBA
				for i, v := range previews[0].RGBA {
					if d := int(v) - int(want[i]); d < -1 || d > 1 {
						t.Errorf("%s: byte %d of the first preview is %d, of one step it is %d", name, i, v, want[i])
						break
					}
				}
			}
		}
	}

	// Where the steps are listed, no others can be asked for.
	f := newFixture(t)
	f.schedule, f.steps, f.maxSteps = sample.Schedule{Kind: "flow", Given: []float64{1, 0.5}}, 2, 2
	m := f.load(be)
	for _, steps := range []int{1, 3} {
		req := frog
		req.Steps = steps
		if _, err := m.Generate(background(), req, nil); !fault.Is(err, fault.StepsRange) {
			t.Errorf("%d steps of a schedule of 2: %v", steps, err)
		}
	}
}

// preview is what the last step of a picture shows.
func preview(t *testing.T, e *engine.Engine, req engine.Request) (last *engine.Image) {
	t.Helper()
	if _, err := e.Generate(background(), req, func(s engine.StepEvent) { last = s.Preview }); err != nil {
		t.Fatal(err)
	}
	return last
}
