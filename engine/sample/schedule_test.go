package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// A fixed shift over the plain list gives the bits that it gave before schedules had
// a description: pictures of shipped models depend on them.
func TestSigmasArePinned(t *testing.T) {
	want := map[string][]uint64{
		"4 1":   {0x3ff0000000000000, 0x3fe8000000000000, 0x3fe0000000000000, 0x3fd0000000000000, 0},
		"4 3":   {0x3ff0000000000000, 0x3feccccccccccccd, 0x3fe8000000000000, 0x3fe0000000000000, 0},
		"7 1.7": {0x3ff0000000000000, 0x3fed24924924924a, 0x3fe9e79e79e79e79, 0x3fe6343eb1a1f58d, 0x3fe1ef1ef1ef1ef2, 0x3fd9e79e79e79e79, 0x3fcc427e567109fb, 0},
	}
	for name, bits := range want {
		var steps int
		var shift float64
		fmt.Sscan(name, &steps, &shift)
		for i, v := range (Schedule{Kind: "flow", Shift: shift}).Sigmas(steps, 0) {
			if math.Float64bits(v) != bits[i] {
				t.Errorf("%s: σ %d is %#x (%g), want %#x", name, i, math.Float64bits(v), v, bits[i])
			}
		}
	}
}

// One step of the list of SD3 goes straight to the data, as with any other list.
func TestSD3OneStep(t *testing.T) {
	if got := (Schedule{Kind: "flow", Shift: 3, List: "sd3"}).Sigmas(1, 0); !slices.Equal(got, []float64{1, 0}) {
		t.Errorf("%v, want [1 0]", got)
	}
}

func TestStochasticSteps(t *testing.T) {
	s := Schedule{Kind: "flow", Sampler: "lcm"}
	if got := s.Step(0.5, 0); got != (Step{X: 1, V: -0.5}) {
		t.Errorf("the last step is %+v, want the data that the velocity points at", got)
	}
	if !s.Stochastic() || (Schedule{Kind: "flow"}).Stochastic() {
		t.Error("only lcm adds noise")
	}
}

// The noise of a step is a promise, as that of a seed is, and no other noise again.
func TestStepNoise(t *testing.T) {
	const c, h, w = 2, 3, 2
	seen := map[float32]string{}
	for _, seed := range []uint32{7, 8} {
		draws := map[string][]float32{"start": Noise(seed, c, h, w)}
		for k := range 3 {
			draws[fmt.Sprintf("step %d", k)] = StepNoise(seed, k, c, h, w)
		}
		for name, draw := range draws {
			for _, v := range draw {
				if other, ok := seen[v]; ok {
					t.Fatalf("seed %d: %s repeats a number of %s", seed, name, other)
				}
				seen[v] = fmt.Sprintf("seed %d, %s", seed, name)
			}
		}
	}
	// Computed by another implementation of the documented generator.
	for _, c := range []struct {
		seed uint32
		step int
		want []uint32
	}{
		{0, 0, []uint32{0x3f91747c, 0xbf2d06ab, 0x3f9ecbb6, 0x3e65a217, 0x3f82d033, 0xbf4eaa14}},
		{5, 2, []uint32{0xbe820e5a, 0xbd446001, 0xbf23e760, 0xc04718b3, 0x3fb32d8c, 0xbeb6882a}},
	} {
		for i, v := range StepNoise(c.seed, c.step, len(c.want), 1, 1) {
			if math.Float32bits(v) != c.want[i] {
				t.Errorf("seed %d, step %d, number %d: %#x (%g), want %#x", c.seed, c.step, i, math.Float32bits(v), v, c.want[i])
			}
		}
	}
}

func TestScheduleJSON(t *testing.T) {
	for text, want := range map[string]Schedule{
		`{"kind":"flow"}`: {Kind: "flow"},
		`{"kind":"flow","shift":3,"list":"sd3","sampler":"lcm"}`:                    {Kind: "flow", Shift: 3, List: "sd3", Sampler: "lcm"},
		`{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`:     {Kind: "flow", Dynamic: &Dynamic{0.5, 1.15, [2]int{256, 4096}}},
		`{"kind":"flow","shift":1,"sigmas":[1,0.9454,0.8959,0.7904,0.7371,0.6022]}`: {Kind: "flow", Shift: 1, Given: []float64{1, 0.9454, 0.8959, 0.7904, 0.7371, 0.6022}},
	} {
		var got Schedule
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
		if back, err := json.Marshal(want); err != nil || string(back) != text {
			t.Errorf("%s is written as %s, %v", text, back, err)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestValidate(t *testing.T) {
	dynamic := func(base, top float64, from, to int) Schedule {
		return Schedule{Kind: "flow", Dynamic: &Dynamic{base, top, [2]int{from, to}}}
	}
	given := func(sigmas ...float64) Schedule { return Schedule{Kind: "flow", Given: sigmas} }
	nan := math.NaN()
	for _, c := range []struct {
		s    Schedule
		code fault.Code
		says string
	}{
		{Schedule{}, fault.ModelUnsupported, `kind ""`},
		{Schedule{Kind: "ddim"}, fault.ModelUnsupported, `kind "ddim", supported: ["flow" "edm"]`},
		{Schedule{Kind: "flow", List: "karras"}, fault.ModelUnsupported, `list "karras", supported: ["flux" "sd3" "unipc"]`},
		{Schedule{Kind: "flow", Sampler: "heun"}, fault.ModelUnsupported, `sampler "heun"`},
		{Schedule{Kind: "flow", Sampler: "ab2"}, fault.ManifestInvalid, `sampler "ab2" is not one of kind "flow"`},
		{Schedule{Kind: "edm", Sampler: "unipc"}, fault.ManifestInvalid, `sampler "unipc" is not one of kind "edm"`},
		{Schedule{Kind: "flow", Shift: -3}, fault.ManifestInvalid, "shift is -3, supported 0.01 to 100"},
		{Schedule{Kind: "flow", Shift: nan}, fault.ManifestInvalid, "shift is NaN"},
		{Schedule{Kind: "flow", Shift: 3, Dynamic: &Dynamic{0.5, 1.15, [2]int{256, 4096}}}, fault.ManifestInvalid, "shift 3 and dynamic"},
		{Schedule{Kind: "flow", List: "sd3", Dynamic: &Dynamic{0.5, 1.15, [2]int{256, 4096}}}, fault.ManifestInvalid, "and dynamic"},
		{dynamic(0.5, 1.15, 4096, 256), fault.ManifestInvalid, "tokens are 4096 and 256"},
		{dynamic(0.5, 1.15, 256, 256), fault.ManifestInvalid, "tokens are 256 and 256"},
		{dynamic(0.5, 1.15, 0, 256), fault.ManifestInvalid, "tokens are 0 and 256"},
		{dynamic(nan, 1.15, 256, 4096), fault.ManifestInvalid, "mu NaN"},
		{dynamic(0.5, 9, 256, 4096), fault.ManifestInvalid, "mu 0.5 to 9"},
		{dynamic(0, 1, 1, 2), fault.ManifestInvalid, "at 1048576 tokens"},
		{given([]float64{}...), fault.ManifestInvalid, "0 sigmas"},
		{given(make([]float64, 1001)...), fault.ManifestInvalid, "1001 sigmas"},
		{given(1, 0.5, 0), fault.ManifestInvalid, "sigmas[2] is 0"},
		{given(1, 0.5, 0.5), fault.ManifestInvalid, "sigmas[2] is 0.5"},
		{given(1.5, 0.5), fault.ManifestInvalid, "sigmas[0] is 1.5"},
		{given(1, nan), fault.ManifestInvalid, "sigmas[1] is NaN"},
		{Schedule{Kind: "flow", List: "flux", Given: []float64{1}}, fault.ManifestInvalid, `list "flux" and sigmas`},
	} {
		err := c.s.Validate()
		if !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %s about %q", c.s, err, c.code, c.says)
		}
	}
}

// UniPC as the library has it: its times, and the latents of a small field of velocities.
func TestUniPC(t *testing.T) {
	data, err := os.ReadFile("testdata/unipc.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Start []float64
		Steps map[string]struct {
			Shift   float64
			Sigmas  []float64
			Latents [][]float64
		}
	}
	if err := json.Unmarshal(data, &golden); err != nil || len(golden.Steps) != 4 {
		t.Fatal(len(golden.Steps), err)
	}
	for name, want := range golden.Steps {
		n, err := strconv.Atoi(name)
		if err != nil {
			t.Fatal(err)
		}
		s := Schedule{Kind: "flow", Shift: want.Shift, List: "unipc", Sampler: "unipc"}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		sigmas := s.Sigmas(n, 0)
		for i, v := range want.Sigmas {
			if math.Abs(sigmas[i]-v) > 1e-6 {
				t.Errorf("%d steps: σ %d is %g, want %g", n, i, sigmas[i], v)
			}
		}
		kept := map[int]int{} // by step, where not all are
		for i := range want.Latents {
			kept[i] = i
		}
		if n > len(want.Latents) {
			kept = map[int]int{0: 0, 1: 1, 2: 2, 9: 3, 48: 4, 49: 5}
		}
		x := slices.Clone(golden.Start)
		var h History
		for k, step := range s.Multisteps(sigmas) {
			data := make([]float64, len(x))
			for i := range x {
				data[i] = x[i] - sigmas[k]*(0.5*x[i]+0.25*sigmas[k])
			}
			h.Step(step, x, data)
			if at, ok := kept[k]; ok {
				for i, v := range want.Latents[at] {
					if math.Abs(x[i]-v) > 2e-6 {
						t.Errorf("%d steps: after step %d number %d is %.8g, want %.8g", n, k+1, i, x[i], v)
					}
				}
			}
		}
	}
}

// From a time of no picture at all, whose λ is infinite, everything stays finite; and the
// last step of either sampler takes the data.
func TestMultistepsAreFinite(t *testing.T) {
	for _, s := range []Schedule{{Kind: "flow", Sampler: "unipc"}, {Kind: "flow", List: "sd3", Shift: 3, Sampler: "unipc"}, {Kind: "edm", Sampler: "ab2"}, {Kind: "edm", Sampler: "ab2", Given: []float64{.98, .5}}} {
		for _, n := range []int{1, 2, 3, 7} {
			steps := s.Multisteps(s.Sigmas(n, 0))
			for k, m := range steps {
				for _, v := range m.Factors() {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Errorf("%+v: step %d of %d is %+v", s, k+1, n, m)
					}
				}
			}
			if last := steps[len(steps)-1]; math.Abs(last.Next) > 1e-12 || math.Abs(last.Ahead[0]-1) > 1e-12 || last.Ahead[1] != 0 {
				t.Errorf("%+v: the last of %d steps is %+v", s, n, last)
			}
		}
	}
}
