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
	Plain    string // what is done, in one sentence for everybody
	X        string // the axis, with its unit
	Paper    string // what the paper reports (arXiv 2602.09268, modulation guidance), "" if nothing
	Here     string // how to read it for a model of few blocks
	// Trials are the pictures to compare. What differs from the paper's setting is said
	// in Here.
	Trials func(s Setting) ([]Trial, error)
	// Measures is what is measured: Y, and, where there is a second, the price that is paid
	// for it, which the plot then has in the place of X.
	Measures func(s Setting) []Measure
	// Distance is the one of Distances that is proposed; "": the first.
	Distance string
	// Judged says that the judge is asked, where the model has one that knows the words.
	Judged bool
	// Alone says that pictures are compared with nothing, so that no base is drawn.
	Alone bool
	// Inside says that what is measured lies within the network, not in the pictures.
	Inside bool
	// Voted says that people are asked instead of a measure, whose label is kept.
	Voted bool
	// Grid says that the plot is a table of series by X, not of lines.
	Grid bool
	// Draws says that a schedule drawn by hand is compared too, where there is one.
	Draws bool
	// Looks says that attention is measured, to words of the prompts that may be chosen.
	Looks bool
	// Times says that the measure is of time, so that no picture stands for a second one.
	Times bool
	// Conclude says in a sentence what the means come to, and, where it can, the preset
	// that they propose. nil where the plot says it.
	Conclude func(r *Results) (string, *recipe.Preset)
}

// Steers reports whether a direction may be chosen, and not only every preset is tried.
func (e Experiment) Steers() bool {
	return e.Looks || !e.Alone && e.Name != "pooled" && e.Name != "lost"
}

// Compares reports whether it measures distances between pictures, be it where no judge
// speaks of the words.
func (e Experiment) Compares() bool { return !e.Alone && !e.Inside && !e.Voted && !e.Times }

// Measure is one number of a picture and of the one it is compared with.
type Measure struct {
	Label string // with its unit
	Of    func(t Trial, made, base Seen) float64
	// Judged says that it needs what the judge says of both, Encoded their features.
	Judged, Encoded bool
}

// Seen is a finished picture, and what the model's judge says of it where a measure needs
// that.
type Seen struct {
	*recipe.Result
	Judged   recipe.Judgement
	Features []float32 // its latent, by the model's encoder, where a measure needs that
}

// Experiments is the table of all.
var Experiments = []Experiment{
	{
		Name: "pooled", Question: "Does the pooled vector matter?",
		Plain:  "Each picture is made twice: as always, and with the one vector that sums up the sentence taken away.",
		X:      "first words of the prompt",
		Paper:  "Fig. 1: pictures with and without the pooled vector become alike from about 40 tokens on.",
		Here:   "A model that was trained on the pooled vector alone, or on short prompts, may need it at every length.",
		Trials: pooledTrials, Measures: distances("the picture with nothing taken away"), Conclude: compareAblations,
	},
	{
		Name: "lost", Question: "What is lost with the pooled vector, and what with the tokens?",
		Plain:  "The same pictures as for the question before: how many no longer show what they showed?",
		X:      "first words of the prompt",
		Paper:  "Table 1: without the pooled vector, FLUX schnell loses 1.1 points of CLIP score with short prompts and 0.3 with long ones; without T5's tokens, much.",
		Here:   "Of 100 pictures that show the objects that their prompt names. Where the prompt is cut before it names one, what the picture showed counts.",
		Judged: true, Trials: pooledTrials, Measures: losses, Conclude: compareAblations,
	},
	{
		Name: "guidance", Question: "Does guidance help, and at what price?",
		Plain:  "The same pictures are steered with several strengths and in several places, and counted: how many show more of what was wanted, and how many lost what they show.",
		X:      "weight",
		Paper:  "Fig. 3: a weight that differs between blocks reaches a PickScore of 21.74 at a CLIP score of 30.8, a constant one 21.67 at 30.4. Table 7: people prefer the former in 72 % of pairs, the latter in 62 %.",
		Here:   "Beside it stand a random direction of the same length, and the same words in the prompt: guidance has to do more than these.",
		Judged: true, Draws: true, Trials: guidanceTrials, Measures: gains, Conclude: mostGained,
	},
	{
		Name: "weight", Question: "How far does guidance move a picture, and from which block on?",
		Plain:  "The same pictures are steered by more and more, in both directions, from an earlier or a later block on.",
		X:      "weight",
		Paper:  "Fig. 13 and 14: later first blocks and smaller weights change less; artifacts from a weight of 8 on.",
		Here:   "Distances say how much changes, not whether it becomes better.",
		Trials: weightTrials, Measures: distances("the picture without guidance"), Conclude: howFar,
	},
	{
		Name: "block", Question: "Which block carries the direction?",
		Plain:  "The same pictures are steered in one block of the network at a time.",
		X:      "the one block that is guided",
		Here:   "The paper guides ranges of blocks. Each block alone says where this model reads the vector.",
		Judged: true, Trials: blockTrials, Measures: gainOrDistance, Conclude: strongestBlock,
	},
	{
		Name: "words", Question: "Which words does the picture look at, in which block?",
		Plain: "Every part of a picture in the making looks at the words of the sentence. The experiment measures how much each word gets, with and without steering.",
		X:     "block",
		Paper: "Fig. 4: under guidance towards hands, attention to that word rises from 0.15 to 0.25. Fig. 10: words for a part of the picture get the most in blocks 10 to 30 and 42 to 58; words for all of it get about the same in every block, less in 20 to 35.",
		Here:  "A cell of the picture spreads 100 % over all words, signs and cells. Without words of your own, those that the judge knows are compared: of things, and of the whole picture.",
		Alone: true, Looks: true, Trials: wordTrials, Measures: attentions(ofBlock),
	},
	{
		Name: "steps", Question: "Which words does the picture look at, at which step?",
		Plain: "The same, from the first step, which is all noise, to the last.",
		X:     "step",
		Here:  "The mean over all blocks; the question before this one tells the blocks apart.",
		Alone: true, Looks: true, Trials: stepTrials, Measures: attentions(ofStep),
	},
	{
		Name: "turn", Question: "How far does a direction turn the vector that the blocks read?",
		Plain: "Steering adds a direction to a vector; the experiment measures by how many degrees the vector turns.",
		X:     "weight",
		Paper: "The paper adds the direction to the vector of every block, whatever its length.",
		Here:  "The intervals tell how much it depends on the prompt. The length of a direction is the model's own.",
		Alone: true, Trials: turnTrials, Measures: turns(ofAll),
	},
	{
		Name: "angles", Question: "In which blocks does a direction turn the vector?",
		Plain: "The same angle, for each block apart, with every ready-made direction as it is proposed.",
		X:     "block",
		Paper: "The paper guides from a first block on, a range of blocks, or two bumps.",
		Here:  "Each direction has its own weight, and blocks of its own. Where it is added to every block with the same weight, each reads the same vector: a level line.",
		Alone: true, Trials: angleTrials, Measures: turns(ofBlock),
	},
	{
		Name: "steady", Question: "Is a direction the same at every step, and for every prompt?",
		Plain: "The same angle at each step, from the first, which is all noise, to the last.",
		X:     "step",
		Paper: "The paper's weights differ between blocks and never between steps: what is added depends neither on the step nor on the prompt.",
		Here:  "What is added is always the same; the vector that it is added to is not. The interval is that over prompts and seeds. Where nothing but the seed differs, the vectors are the same to the last bit.",
		Alone: true, Trials: steadyTrials, Measures: turns(ofStep),
	},
	{
		Name: "norms", Question: "What does a direction do to the length of the vector, block by block?",
		Plain:  "Each block makes three lists of numbers of the vector that it reads: shift, scale and gate. The experiment measures how long they are with steering, compared with how long they were.",
		X:      "block",
		Paper:  "A replication of the paper finds the vector 0.93 times as long with guidance: the direction counts, not the length.",
		Here:   "The mean over the steps and over a block's places. A block in which nothing is steered has 0.",
		Inside: true, Trials: normTrials, Measures: norms,
	},
	{
		Name: "linear", Question: "Is twice the weight twice the effect?",
		Plain:    "The same pictures are steered by more and more, and compared by how far their colours move.",
		X:        "weight",
		Here:     "What is added to the vector is exactly twice as long at twice the weight. A line that bends down says that the picture follows less and less. The random direction is as long as the other.",
		Distance: DistancePixels, Trials: linearTrials, Measures: distances("the picture without guidance"), Conclude: howLinear,
	},
	{
		Name: "map", Question: "Which directions are alike?",
		Plain: "Each two of the ready-made directions are compared: do they point the same way?",
		X:     "number of the other preset",
		Here:  "The cosine of two directions: 1 for the same, 0 for unrelated ones, −1 for opposites. Presets are numbered from 1 in the model's order.",
		Alone: true, Grid: true, Trials: mapTrials, Measures: cosines,
	},
	{
		Name: "added", Question: "Does a direction still work beside a second one?",
		Plain:  "The same pictures are steered along one direction, and along a ready-made one at the same time.",
		X:      "weight",
		Here:   "A line as high as that of the direction alone means that the two do not disturb each other. The second one has its own weight throughout; at a weight of 0 it is alone.",
		Judged: true, Trials: addedTrials, Measures: gains,
	},
	{
		Name: "settings", Question: "Which weight and first block suit these words?",
		Plain:  "A search through strengths and first blocks for words of your own.",
		X:      "weight",
		Paper:  "The paper chooses a weight and a first block for each task by hand.",
		Here:   "Proposed is the largest gain at which no more than 5 of 100 objects are lost, and the range of weights for which that holds.",
		Judged: true, Trials: settingsTrials, Measures: gains, Conclude: propose,
	},
	{
		Name: "people", Question: "Which pictures do people prefer?",
		Plain:  "Two pictures stand side by side, one of them steered, and you say which shows the sentence better without knowing which is which.",
		X:      "weight",
		Paper:  "Tables 2 and 3: people preferred the guided picture in 72 % of pairs for aesthetics, in 61 % for counting (FLUX schnell).",
		Here:   "100 is for guidance every time, −100 never, 0 no preference; the share of votes for guidance is half of that and 50. Files of several people can be put together.",
		Trials: peopleTrials, Measures: votes, Voted: true, Conclude: winRate,
	},
	{
		Name: "cost", Question: "What does guidance cost?",
		Plain:  "The same pictures are made with and without steering, and timed.",
		X:      "directions",
		Paper:  "The vectors are blended once for each block: the cost is that of encoding the directions' prompts.",
		Here:   "Of the device that the experiment ran on. A later picture with the same directions does not encode them again.",
		Trials: costTrials, Measures: costs, Times: true,
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
	Words     []string // of the prompts, in lower case: to look at; none: see groups
	// Drawn is a schedule by hand, a factor of the weight for each block; none: nil.
	Drawn    []float64
	Distance string // one of Distances, for what no judge speaks of; "": the first
}

// Trial is one picture and the one that it is compared with.
type Trial struct {
	Point
	Request, Base recipe.Request
	Words         []string // of the prompt, where attention to them is measured
}

// Point is where a trial stands in the plot, and which pair of pictures it is of.
type Point struct {
	Series string  `json:"series"`
	X      float64 `json:"x"`
	Prompt string  `json:"prompt"`
	Seed   uint32  `json:"seed"`
}

// each makes trials for every prompt and seed: make adds those of one unguided request.
func (s Setting) each(make func(base recipe.Request, add func(series string, x float64, made, from recipe.Request)) error) (list []Trial, err error) {
	if len(s.Prompts) == 0 || len(s.Seeds) == 0 {
		return nil, fault.New(fault.RequestInvalid, "%d prompts and %d seeds, wanted at least one of each", len(s.Prompts), len(s.Seeds))
	}
	for _, prompt := range s.Prompts {
		for _, seed := range s.Seeds {
			base := s.Base
			base.Prompt, base.Seed, base.Guidance, base.Ablate = prompt, seed, nil, nil
			err := make(base, func(series string, x float64, made, from recipe.Request) {
				list = append(list, Trial{Point: Point{series, x, prompt, seed}, Request: made, Base: from})
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
