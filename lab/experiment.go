package lab

import (
	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Experiment is a question that pictures answer: a measure over an axis, with a line of
// the plot for each series.
type Experiment struct {
	Name     string
	Question string
	X, Y     string // the axes, with their units
	Paper    string // what the paper reports (arXiv, "modulation guidance"), "" if nothing
	Here     string // how to read it for a model of few blocks
	// Trials are the pictures to compare. What differs from the paper's setting is said
	// in Here.
	Trials func(s Setting) ([]Trial, error)
	// Measure is Y of a picture and of the one it is compared with.
	Measure func(made, base *recipe.Result) float64
	// Times says that the measure is of time, so that no picture stands for a second one.
	Times bool
}

// Experiments is the table of all.
var Experiments = []Experiment{
	{
		Name: "pooled", Question: "Does the pooled vector matter?",
		X: "first words of the prompt", Y: "distance to the picture with nothing taken away (1 − SSIM)",
		Paper:  "Fig. 1: pictures with and without the pooled vector become alike from about 40 tokens on.",
		Here:   "A model that was trained on the pooled vector alone, or on short prompts, may need it at every length.",
		Trials: pooledTrials, Measure: distance,
	},
	{
		Name: "weight", Question: "How far does guidance move a picture, and from which block on?",
		X: "weight", Y: "distance to the picture without guidance (1 − SSIM)",
		Paper:  "Fig. 13 and 14: later first blocks and smaller weights change less; artifacts from a weight of 8 on.",
		Here:   "Distances say how much changes, not whether it becomes better.",
		Trials: weightTrials, Measure: distance,
	},
	{
		Name: "block", Question: "Which block carries the direction?",
		X: "the one block that is guided", Y: "distance to the picture without guidance (1 − SSIM)",
		Here:   "The paper guides ranges of blocks. Each block alone says where this model reads the vector.",
		Trials: blockTrials, Measure: distance,
	},
	{
		Name: "cost", Question: "What does guidance cost?",
		X: "directions", Y: "milliseconds more than the picture without guidance",
		Paper:  "The vectors are blended once for each block: the cost is that of encoding the directions' prompts.",
		Here:   "Of the device that the experiment ran on. A later picture with the same directions does not encode them again.",
		Trials: costTrials, Measure: cost, Times: true,
	},
}

// Find is the experiment of that name (fault.RequestInvalid if there is none).
func Find(name string) (Experiment, error) {
	names := make([]string, len(Experiments))
	for i, e := range Experiments {
		if names[i] = e.Name; e.Name == name {
			return e, nil
		}
	}
	return Experiment{}, fault.New(fault.RequestInvalid, "there is no experiment %.40q; there are %v", name, names)
}

// Setting is what an experiment is asked with.
type Setting struct {
	Model   recipe.Description
	Base    recipe.Request // everything that the experiment does not vary
	Prompts []string
	Seeds   []uint32
	// Direction is steered along; its weight and its first block are varied.
	Direction recipe.Term
}

// Trial is one picture and the one that it is compared with.
type Trial struct {
	Point
	Request, Base recipe.Request
}

// Point is where a trial stands in the plot, and which pair of pictures it is of.
type Point struct {
	Series string  `json:"series"`
	X      float64 `json:"x"`
	Prompt string  `json:"prompt"`
	Seed   uint32  `json:"seed"`
}

// each makes trials for every prompt and seed: make adds those of one unguided request.
func (s Setting) each(make func(base recipe.Request, add func(series string, x float64, made recipe.Request)) error) (list []Trial, err error) {
	if len(s.Prompts) == 0 || len(s.Seeds) == 0 {
		return nil, fault.New(fault.RequestInvalid, "%d prompts and %d seeds, wanted at least one of each", len(s.Prompts), len(s.Seeds))
	}
	for _, prompt := range s.Prompts {
		for _, seed := range s.Seeds {
			base := s.Base
			base.Prompt, base.Seed, base.Guidance, base.Ablate = prompt, seed, nil, nil
			err := make(base, func(series string, x float64, made recipe.Request) {
				from := base
				from.Prompt = made.Prompt
				list = append(list, Trial{Point{series, x, prompt, seed}, made, from})
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
