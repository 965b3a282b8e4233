package how

import (
	"math"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// part is one stretch of the time a picture took.
type part struct {
	name *string
	ms   float64
}

// watched reports whether every step was waited for, so that each part has a time.
func watched(t recipe.Timings) bool { return t.ModulationMs > 0 && t.DecodeMs > 0 }

// whole is what the picture took, without looking on.
func whole(t recipe.Timings) float64 { return t.TotalMs - t.ProbeMs }

// parts cuts a picture's time up in the order it was spent; the rest is what lies
// between: preparing, previews, reading back.
func parts(t recipe.Timings) []part {
	list := []part{
		{&words.Text.HowPartWords, t.TextMs}, {&words.Text.HowPartGuidance, t.GuidanceMs}, {&words.Text.HowPartModulation, t.ModulationMs},
		{&words.Text.HowPartSteps, average(t.StepsMs) * float64(len(t.StepsMs))}, {&words.Text.HowPartDecoder, t.DecodeMs},
	}
	rest := whole(t)
	for _, p := range list {
		rest -= p.ms
	}
	return append(list, part{&words.Text.HowPartRest, math.Max(0, rest)})
}
