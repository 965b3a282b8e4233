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
// HiDream-I1-Fast, whose head gets the direction too, 28 Cosmos-Predict2 2B, which reads a
// pooled vector only through the adapter that the paper trained, 60 HunyuanVideo.
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
	on := func(family, id, title string) Preset {
		p := published[family]
		p.ID, p.Title, p.Positive, p.Negative = id, title, detailed, flat
		return p
	}
	return []Preset{
		{ID: "aesthetics", Title: "Aesthetics", Positive: detailed, Negative: flat, Weight: 3, Schedule: flux},
		{ID: "complexity", Title: "Complexity", Positive: "Extremely complex, the highest quality", Negative: simple, Weight: 3, Schedule: flux},
		{ID: "hands", Title: "Hands", Positive: "Natural and realistic hands", Negative: "Unnatural hands", Weight: 3,
			Schedule: Schedule{Kind: "intervals", Of: 57, Intervals: []Interval{{13, 30, 1}, {30, 45, 1.0 / 3}}}},
		// The positive phrase is an example: it is the count and the objects of the prompt.
		{ID: "counting", Title: "Counting", Positive: "three dogs", Negative: simple, Weight: 3, Schedule: flux},
		on("sd3", "aesthetics-sd3.5", "Aesthetics (SD3.5 Large)"), on("hidream", "aesthetics-hidream", "Aesthetics (HiDream-I1-Fast)"),
		on("cosmos", "aesthetics-cosmos", "Aesthetics (Cosmos-Predict2 with an adapter)"),
		{ID: "video", Title: "Video (HunyuanVideo)", Positive: detailed, Negative: "Low-res, bad quality, blurred", Weight: 3.5,
			Schedule: Schedule{Kind: "step", Start: 5, Of: 60}},
	}
}

// published is what the paper has for aesthetics on a family's model: the weight, that of
// the head, and the schedule.
var published = map[string]Preset{
	"sd3":     {Weight: 2, Schedule: Schedule{Kind: "step", Start: 2, Of: 38}},
	"hidream": {Weight: 3, Head: 3, Schedule: Schedule{Kind: "step", Start: 5, Of: 48}},
	"cosmos":  {Weight: 3, Schedule: Schedule{Kind: "step", Start: 0, Of: 28}},
}

// PresetsFor returns what a model of a family ("flux", "sd3", "hidream" or "cosmos", of any
// depth) may be offered: for FLUX.1 the paper's directions as they are. For the others the
// paper has the weight, the first block and the head's share of aesthetics alone: SD3.5
// Large 2 from block 2 of 38, HiDream-I1-Fast 3 from block 5 of 48 and at the head,
// Cosmos-Predict2 3 from block 0 of 28. That the other directions take the same there is a
// reading. Nothing was published for other families.
func PresetsFor(family string) (out []Preset) {
	own, known := published[family]
	for _, p := range Presets() {
		switch {
		case p.Schedule.Of != 57:
			continue
		case known:
			p.Weight, p.Head, p.Schedule = own.Weight, own.Head, own.Schedule
		case family != "flux":
			continue
		}
		out = append(out, p)
	}
	return out
}
