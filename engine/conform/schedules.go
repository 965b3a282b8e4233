package conform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"undertone/engine/sample"
)

// sigmaLimit is how far a σ may be off, and a latent of a small field of velocities.
const sigmaLimit = 1e-6

// scheduler is the configuration of one of the library's schedulers.
type scheduler struct {
	Train     int     `json:"num_train_timesteps"`
	Shift     float64 `json:"shift"`
	Dynamic   bool    `json:"use_dynamic_shifting"`
	BaseShift float64 `json:"base_shift"`
	MaxShift  float64 `json:"max_shift"`
	BaseLen   int     `json:"base_image_seq_len"`
	MaxLen    int     `json:"max_image_seq_len"`
	Type      string  `json:"time_shift_type"`
}

// samplers are ours under the names of the library's classes.
var samplers = map[string]string{
	"FlowMatchEulerDiscreteScheduler":      "euler",
	"FlashFlowMatchEulerDiscreteScheduler": "lcm",
	"FlowMatchLCMScheduler":                "lcm",
}

// schedule says in our words what a scheduler of a class is configured with.
func (s scheduler) schedule(class string) (sample.Schedule, error) {
	sampler, ok := samplers[class]
	if !ok {
		return sample.Schedule{}, fmt.Errorf("the scheduler %.64q is not supported", class)
	}
	out := sample.Schedule{Kind: "flow", Shift: s.Shift, Sampler: sampler}
	if s.Train != 1000 || s.Type != "" && s.Type != "exponential" {
		return out, fmt.Errorf("num_train_timesteps %d, time_shift_type %.64q; supported 1000 and exponential", s.Train, s.Type)
	}
	if s.Dynamic {
		out.Shift, out.Dynamic = 0, &sample.Dynamic{Base: s.BaseShift, Max: s.MaxShift, Tokens: [2]int{s.BaseLen, s.MaxLen}}
	}
	return out, nil
}

// strict decodes JSON whose every field must be understood.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// scheduleCase is one list of σ, and the latents of a small field of velocities after
// every step along it.
type scheduleCase struct {
	Scheduler  string      `json:"scheduler"`
	Config     scheduler   `json:"config"`
	Steps      int         `json:"steps"`
	Given      []float64   `json:"given_sigmas"`
	Mu         *float64    `json:"mu"`
	Tokens     int         `json:"image_tokens"`
	Sigmas     []float64   `json:"sigmas"`
	Timesteps  []float64   `json:"timesteps"`
	Trajectory [][]float64 `json:"toy_trajectory"`
	Note       string      `json:"note"`
}

// toy is the field v(x, σ), where a trajectory begins, and the noise of stochastic
// steps: that of step k is the k-th, and they begin anew behind the last.
type toy struct {
	Velocity string      `json:"velocity"`
	Start    []float64   `json:"start"`
	Noises   [][]float64 `json:"noises"`
	Rule     string      `json:"rule"`
}

// toyVelocity is the only field that is known.
const toyVelocity = "v = 0.5*x + 0.25*sigma, float64"

func (r *run) schedules() error {
	var field toy
	if data, ok := r.desc.Schedules["_toy"]; ok {
		if err := strict(data, &field); err != nil {
			return fmt.Errorf("its _toy is not understood: %w", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.desc.Schedules)) {
		if name == "_toy" {
			continue
		}
		var s scheduleCase
		err := strict(r.desc.Schedules[name], &s)
		if err == nil {
			err = s.check(&check{run: r, name: name, told: map[string]bool{}}, field)
		}
		if err != nil {
			r.fail(name, "", err)
		}
	}
	return nil
}

// check compares one list. Where the list that a pipeline gave by hand is the one that
// our own rule makes, both are compared.
func (s scheduleCase) check(c *check, field toy) error {
	plain, err := s.Config.schedule(s.Scheduler)
	if err != nil {
		return err
	}
	steps := s.Steps
	if s.Given == nil {
		plain.List = "sd3"
	} else {
		given := plain
		given.Given, steps = s.Given, len(s.Given)
		if s.Steps != 0 && s.Steps != steps {
			return fmt.Errorf("%d steps and %d given sigmas are not understood", s.Steps, steps)
		}
		if furthest(s.Given, (sample.Schedule{Kind: "flow"}).Sigmas(steps, 0)[:steps]) < 1e-9 {
			if err := s.list(c, plain, "sigmas.by_rule", steps, nil); err != nil {
				return err
			}
		}
		plain = given
	}
	if steps < 1 || steps > 10_000 {
		return fmt.Errorf("%d steps are not understood", steps)
	}
	return s.list(c, plain, "sigmas", steps, &field)
}

// list compares the σ and, with a field, the timesteps and the trajectory.
func (s scheduleCase) list(c *check, schedule sample.Schedule, output string, steps int, field *toy) error {
	tokens := s.Tokens
	switch {
	case s.Mu != nil && schedule.Dynamic == nil:
		return fmt.Errorf("mu %g without a dynamic shift is not understood", *s.Mu)
	case s.Mu != nil && tokens == 0: // the shift is given by itself
		schedule.Dynamic = &sample.Dynamic{Base: *s.Mu, Max: *s.Mu, Tokens: [2]int{1, 2}}
	case schedule.Dynamic != nil && tokens < 1:
		return fmt.Errorf("a dynamic shift without image_tokens or mu is not understood")
	}
	if err := schedule.Validate(); err != nil {
		return err
	}
	got := schedule.Sigmas(steps, tokens)
	c.within(output, furthest(got, s.Sigmas), sigmaLimit)
	if field == nil {
		return nil
	}
	scaled := make([]float64, len(s.Timesteps))
	for i, t := range s.Timesteps {
		scaled[i] = t / 1000
	}
	c.within("timesteps", furthest(got[:len(got)-1], scaled), sigmaLimit)
	c.within("toy_trajectory", s.follow(schedule, got, *field), sigmaLimit)
	return nil
}

// follow takes the steps of a schedule and returns how far any latent is off;
// infinitely where the trajectory or the field is not understood.
func (s scheduleCase) follow(schedule sample.Schedule, sigmas []float64, field toy) (off float64) {
	if field.Velocity != toyVelocity || len(s.Trajectory) != len(sigmas) || schedule.Stochastic() && len(field.Noises) == 0 {
		return math.Inf(1)
	}
	x := slices.Clone(field.Start)
	for k, want := range s.Trajectory {
		off = max(off, furthest(x, want))
		if k == len(sigmas)-1 {
			break
		}
		step := schedule.Step(sigmas[k], sigmas[k+1])
		for i := range x {
			v := 0.5*x[i] + 0.25*sigmas[k]
			x[i] = step.X*x[i] + step.V*v
			if step.Noise != 0 {
				noise := field.Noises[k%len(field.Noises)]
				if len(noise) != len(x) {
					return math.Inf(1)
				}
				x[i] += step.Noise * noise[i]
			}
		}
	}
	return off
}

// furthest is the largest difference; infinite where the lengths differ.
func furthest(got, want []float64) (off float64) {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	for i, w := range want {
		off = max(off, math.Abs(got[i]-w)) // max keeps NaN
	}
	return off
}
