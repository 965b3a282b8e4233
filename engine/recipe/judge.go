package recipe

// Judge is what a model's judge can say of its pictures: a small network of its own, which
// is fetched when it is first asked.
type Judge struct {
	Bytes      int64    `json:"bytes"`      // of its file
	Size       int      `json:"size"`       // of the square pictures that it sees, in pixels
	Pictures   int      `json:"pictures"`   // on how many its accuracy was measured
	Attributes []Aspect `json:"attributes"` // in the order of its answers
}

// Aspect is one thing that a judge says of a picture. The values of detail and polish
// are levels, from "0" on.
type Aspect struct {
	Name     string   `json:"name"` // "first" and "last" are the leftmost and the rightmost object
	Values   []string `json:"values"`
	Accuracy float64  `json:"accuracy"` // how often it was right, 0 to 1
}

// EnoughAccuracy is how often a judge has to be right about an attribute. What it says of
// others is reported as unjudged.
const EnoughAccuracy = 0.95

// Judged reports whether what is said of the attribute counts.
func (a Aspect) Judged() bool { return a.Accuracy >= EnoughAccuracy }

// Judgement is what a judge says of one picture: by the name of the attribute, the
// probability of each of its values. Attributes that are not judged are missing.
type Judgement map[string][]float64
