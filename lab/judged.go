package lab

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"undertone/engine/recipe"
)

// gains are what the judge sees more of, and which objects are lost for it. A model whose
// judge does not speak of the direction's words has distances.
func gains(s Setting) []Measure {
	t, ok := s.target()
	if !ok {
		return distances("the picture without guidance")(s)
	}
	list := []Measure{t.gain()}
	if s.sees("first") && s.sees("last") {
		list = append(list, s.lost())
	}
	return list
}

// losses are the objects that are lost alone, or the distance.
func losses(s Setting) []Measure {
	if s.Model.Judge == nil || !s.sees("first") || !s.sees("last") {
		return distances("the picture with nothing taken away")(s)
	}
	return []Measure{s.lost()}
}

// gainOrDistance is the gain alone, or the distance.
func gainOrDistance(s Setting) []Measure { return gains(s)[:1] }

// target is what a direction should make the judge see: a value of an attribute, or more
// of an attribute that has levels.
type target struct {
	attribute string
	value     int // −1: the level
	name      string
}

// levels are attributes of which more is better, by words that ask for it.
var levels = map[string][]string{"detail": {"detailed", "complex"}, "polish": {"beautiful", "polished"}}

// target finds the words of the direction among the values that the judge speaks of.
func (s Setting) target() (t target, ok bool) {
	if s.Model.Judge == nil {
		return t, false
	}
	positive, negative := wordsOf(s.Direction.Positive), wordsOf(s.Direction.Negative)
	for _, a := range s.Model.Judge.Attributes {
		if !a.Judged() {
			continue
		}
		for _, word := range levels[a.Name] {
			if slices.Contains(positive, word) {
				return target{a.Name, -1, a.Name}, true
			}
		}
		for i, v := range a.Values {
			if !isLevel(v) && slices.Contains(positive, v) && !slices.Contains(negative, v) {
				return target{a.Name, i, v}, true
			}
		}
	}
	return t, false
}

func isLevel(value string) bool {
	_, err := strconv.Atoi(value)
	return err == nil
}

// wordsOf are the words of a text, as the judge calls things.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// gain is what the judge sees more of: points of 100 of a value's probability, or of the
// way from the lowest level to the highest.
func (t target) gain() Measure {
	return Measure{Label: "gain in " + t.name + ", by the judge (points of 100)", Judged: true, Of: func(_ Trial, made, base Seen) float64 {
		const digits = 100 // what is less than a hundredth of a point is none
		return math.Round(digits*100*(t.score(made.Judged)-t.score(base.Judged))) / digits
	}}
}

func (t target) score(j recipe.Judgement) float64 {
	p := j[t.attribute]
	if t.value >= 0 {
		return p[t.value]
	}
	sum := 0.0
	for level, v := range p {
		sum += float64(level) * v
	}
	return sum / float64(len(p)-1)
}

// sees reports whether the judge is sure enough of an attribute.
func (s Setting) sees(attribute string) bool {
	return slices.ContainsFunc(s.Model.Judge.Attributes, func(a recipe.Aspect) bool { return a.Name == attribute && a.Judged() })
}

// lost is 100 where the picture lost what the prompt asks for, as the judge sees it, and the
// one it is compared with has it; −100 where it is the other way round; else 0. Of a prompt
// that names nothing that the judge knows, what the base shows stands for what is asked for.
func (s Setting) lost() Measure {
	var names []string
	for _, a := range s.Model.Judge.Attributes {
		if a.Name == "first" {
			names = a.Values
		}
	}
	return Measure{Label: "objects lost (of 100)", Judged: true, Of: func(t Trial, made, base Seen) float64 {
		asked := objectsOf(t.Base.Prompt, names)
		if len(asked) == 0 {
			asked = shown(base.Judged)
		}
		has := func(j recipe.Judgement) float64 {
			if slices.Equal(asked, shown(j)) {
				return 100
			}
			return 0
		}
		return has(base.Judged) - has(made.Judged)
	}}
}

// objectsOf are the objects that a prompt names, by number and each once.
func objectsOf(prompt string, names []string) (list []int) {
	for _, word := range wordsOf(prompt) {
		for _, one := range singulars(word) {
			if i := slices.Index(names, one); i >= 0 && !slices.Contains(list, i) {
				list = append(list, i)
			}
		}
	}
	slices.Sort(list)
	return list
}

// singulars are what a word may be the plural of, and itself.
func singulars(word string) []string {
	list := []string{word}
	for _, plural := range []struct{ end, singular string }{{"ies", "y"}, {"es", ""}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(word, plural.end); ok {
			list = append(list, stem+plural.singular)
		}
	}
	return list
}

// shown are the leftmost and the rightmost object, by number and each once.
func shown(j recipe.Judgement) []int {
	list := []int{likeliest(j["first"]), likeliest(j["last"])}
	slices.Sort(list)
	return slices.Compact(list)
}

func likeliest(p []float64) (most int) {
	for i, v := range p {
		if v > p[most] {
			most = i
		}
	}
	return most
}
