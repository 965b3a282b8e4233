package guidance

// Preset is a direction with the settings it was published with.
type Preset struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Positive string   `json:"positive"`
	Negative string   `json:"negative"`
	Weight   float64  `json:"weight"`
	Head     float64  `json:"head"`
	Schedule Schedule `json:"schedule"`
}

// Presets returns the paper's directions and schedules (arXiv 2602.09268 and its
// code). Weights and schedules belong to the model they were found on, which
// Schedule.Of names by its depth: 57 blocks are FLUX.1, 38 SD3.5 Large, 48
// HiDream-I1-Fast, 60 HunyuanVideo.
//
// Where the paper publishes a direction without a schedule (complexity,
// counting), it has that of aesthetics. Hands' two weights are a reading: sources
// contradict each other.
func Presets() []Preset {
	const (
		detailed = "Ultra-detailed, photorealistic, cinematic"
		flat     = "Low-res, flat, cartoonish"
		simple   = "Very simple, no details at all"
	)
	flux := Schedule{Kind: "step", Start: 5, Of: 57}
	return []Preset{
		{ID: "aesthetics", Title: "Aesthetics", Positive: detailed, Negative: flat, Weight: 3, Schedule: flux},
		{ID: "complexity", Title: "Complexity", Positive: "Extremely complex, the highest quality", Negative: simple, Weight: 3, Schedule: flux},
		{ID: "hands", Title: "Hands", Positive: "Natural and realistic hands", Negative: "Unnatural hands", Weight: 3,
			Schedule: Schedule{Kind: "intervals", Of: 57, Intervals: []Interval{{13, 30, 1}, {30, 45, 1.0 / 3}}}},
		// The positive phrase is an example: it is the count and the objects of the prompt.
		{ID: "counting", Title: "Counting", Positive: "three dogs", Negative: simple, Weight: 3, Schedule: flux},
		{ID: "aesthetics-sd3.5", Title: "Aesthetics (SD3.5 Large)", Positive: detailed, Negative: flat, Weight: 2,
			Schedule: Schedule{Kind: "step", Start: 2, Of: 38}},
		{ID: "aesthetics-hidream", Title: "Aesthetics (HiDream-I1-Fast)", Positive: detailed, Negative: flat, Weight: 3, Head: 3,
			Schedule: Schedule{Kind: "step", Start: 5, Of: 48}},
		{ID: "video", Title: "Video (HunyuanVideo)", Positive: detailed, Negative: "Low-res, bad quality, blurred", Weight: 3.5,
			Schedule: Schedule{Kind: "step", Start: 5, Of: 60}},
	}
}

// PresetsFor returns what a model of a family ("flux" or "sd3", of any depth) may be
// offered: for FLUX.1 the paper's directions as they are. For SD3.5 the paper has the
// weight and the first block of aesthetics alone, 2 from block 2 of 38; that the others
// take the same there is a reading. Nothing was published for other families.
func PresetsFor(family string) (out []Preset) {
	sd3 := Schedule{Kind: "step", Start: 2, Of: 38}
	for _, p := range Presets() {
		if p.Schedule.Of != 57 {
			continue
		}
		switch family {
		case "flux":
			out = append(out, p)
		case "sd3":
			p.Weight, p.Schedule = 2, sd3
			out = append(out, p)
		}
	}
	return out
}
