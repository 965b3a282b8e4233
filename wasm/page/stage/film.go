package stage

import (
	"math"
	"slices"

	"undertone/wasm/page/app"
)

// Bounds of a film: how many pictures it has, and how long they may be expected to take
// together, in milliseconds, before there are fewer.
const (
	fewestFrames, mostFrames = 24, 48
	patience                 = 60_000
)

// oneWay is how many seconds a film takes from its first picture to its last; as many
// again it takes back.
const oneWay = 2

// frameCount is how many pictures a film has on a device that takes so many milliseconds
// for one, 0 where that is not known.
func frameCount(each float64) int {
	if each <= 0 {
		return fewestFrames
	}
	return int(min(max(patience/each, fewestFrames), mostFrames))
}

// frames are the pictures of a film from one end of a plan to the other. They leave the first slowly, and come to the last slowly.
func (p sweepPlan) frames(f app.Form, n int) (list []app.Recipe) {
	for i := range n {
		share := (1 - math.Cos(math.Pi*float64(i)/float64(n-1))) / 2
		list = append(list, p.set(f, math.Round((p.from+(p.to-p.from)*share)*1e4)/1e4))
	}
	return list
}

// change is which direction a film changes, and its weight at both ends; a direction that is
// left out at one of them, as a strength of 0 is, has no weight there.
func change(first, last app.Recipe) (at int, from, to float64) {
	weight := func(r app.Recipe, i int) float64 {
		if i < len(r.Guidance) {
			return r.Guidance[i].Weight
		}
		return 0
	}
	for i := range max(len(first.Guidance), len(last.Guidance)) {
		if from, to := weight(first, i), weight(last, i); from != to {
			return i, from, to
		}
	}
	return 0, weight(first, 0), weight(last, 0)
}

// sameFrames reports whether two films are of the same pictures.
func sameFrames(a, b []app.Recipe) bool { return slices.EqualFunc(a, b, app.Recipe.Same) }
