package lab

import (
	"math"
	"slices"
	"strings"

	"undertone/engine/recipe"
)

// group is a name for some words of a prompt.
type group struct {
	name  string
	words []string
}

// parts are the judge's attributes that are of one thing in the picture; the others are of
// all of it.
var parts = []string{"first", "last", "first colour", "last colour", "count", "side"}

// groups are the words of a prompt to look at: each that was chosen; else those that the
// judge knows, of things apart from those of the whole picture; else all.
func (s Setting) groups(prompt string) (list []group) {
	words := wordsOf(prompt)
	if len(s.Words) > 0 {
		for _, w := range words {
			if slices.Contains(s.Words, w) && !slices.ContainsFunc(list, func(g group) bool { return g.name == w }) {
				list = append(list, group{w, []string{w}})
			}
		}
		return list
	}
	if s.Model.Judge != nil {
		local, global := group{name: "objects and colours"}, group{name: "style, place and time"}
		for _, w := range words {
			for _, a := range s.Model.Judge.Attributes {
				if !slices.ContainsFunc(a.Values, func(v string) bool { return !isLevel(v) && slices.Contains(singulars(w), v) }) {
					continue
				}
				g := &global
				if slices.Contains(parts, a.Name) {
					g = &local
				}
				g.words = append(g.words, w)
				break
			}
		}
		list = slices.DeleteFunc([]group{local, global}, func(g group) bool { return len(g.words) == 0 })
	}
	if len(list) == 0 && len(words) > 0 {
		list = []group{{"all words", words}}
	}
	return list
}

// attentionTrials look at groups of words with and without guidance, in each of a number
// of places along the axis.
func (s Setting) attentionTrials(first, places int) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	var list []Trial
	_, err := s.each(func(base recipe.Request, _ add) error {
		base.Probe = &recipe.ProbeRequest{}
		guided := s.guided(base, s.Direction.Weight, s.Direction.Schedule)
		for _, made := range []struct {
			name string
			recipe.Request
		}{{"without guidance", base}, {"with guidance", guided}} {
			for _, g := range s.groups(base.Prompt) {
				for i := range places {
					p := Point{g.name + ", " + made.name, float64(first + i), base.Prompt, base.Seed}
					list = append(list, Trial{Point: p, Request: made.Request, Words: g.words})
				}
			}
		}
		return nil
	})
	return list, err
}

// wordTrials have the block as their axis, stepTrials the step.
func wordTrials(s Setting) ([]Trial, error) {
	return s.attentionTrials(0, s.Model.Blocks.Double+s.Model.Blocks.Single)
}

func stepTrials(s Setting) ([]Trial, error) { return s.attentionTrials(1, s.Base.Steps) }

// attentions is the share of a cell's attention that each of the trial's words gets, the
// mean over the picture's cells, the words, and whatever the axis does not say.
func attentions(of func(t Trial, block, step int) bool) func(Setting) []Measure {
	return func(Setting) []Measure {
		return []Measure{{Label: "attention to each of these words (% of what a cell looks at)", Of: func(t Trial, made, _ Seen) float64 {
			p := made.Probe
			tokens := tokensOf(p, t.Words)
			cells, blocks := p.Rows*p.Cols, len(p.Blocks)-1 // the head has none
			sum, n := 0.0, 0
			for i := range p.Attention {
				word := i / cells % len(p.Words)
				block, step := i/cells/len(p.Words)%blocks, i/cells/len(p.Words)/blocks+1
				if of(t, block, step) && slices.Contains(tokens, p.Words[word]) {
					sum, n = sum+float64(p.Attention[i]), n+1
				}
			}
			if n == 0 {
				return math.NaN()
			}
			return 100 * sum / float64(n)
		}}}
	}
}

func ofBlock(t Trial, block, _ int) bool { return block == int(t.X) }

func ofStep(t Trial, _, step int) bool { return step == int(t.X) }

// tokensOf are the numbers of the tokens that some words are written with: of several in a
// row where a tokenizer cuts a word into pieces.
func tokensOf(p *recipe.Probe, words []string) (list []int) {
	for i := range p.Tokens {
		if i > 0 && goesOn(p.Tokens, i-1) {
			continue
		}
		said := ""
		for j := i; j < len(p.Tokens); j++ {
			said += strings.ToLower(marks.Replace(p.Tokens[j].Text))
			if said == "" || !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, said) }) {
				break
			}
			if slices.Contains(words, said) && !goesOn(p.Tokens, j) {
				for k := i; k <= j; k++ {
					list = append(list, k)
				}
				break
			}
		}
	}
	return list
}

// marks are what tokenizers write at the end of a word, and at the beginning.
var marks = strings.NewReplacer(wordEnd, "", wordBegin, "", "Ġ", "")

const wordEnd, wordBegin = "</w>", "▁"

// goesOn reports whether the word of a token goes on in the next one.
func goesOn(tokens []recipe.Token, i int) bool {
	any := func(in string) bool {
		return slices.ContainsFunc(tokens, func(t recipe.Token) bool { return strings.Contains(t.Text, in) })
	}
	switch {
	case tokens[i].Text == "": // start or end
	case any(wordEnd):
		return !strings.Contains(tokens[i].Text, wordEnd)
	case any(wordBegin) && i+1 < len(tokens):
		next := tokens[i+1].Text
		return len(wordsOf(next)) > 0 && !strings.Contains(next, wordBegin)
	}
	return false
}
