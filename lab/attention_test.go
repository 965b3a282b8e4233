package lab

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// look lets six blocks look at the words of a prompt, on two cells: word w gets w + 10·block
// + 100·step percent, one more in the second cell, and twice of it with guidance.
func look(p *recipe.Probe, r recipe.Request) {
	p.Tokens = []recipe.Token{{Kind: "start"}}
	for _, w := range wordsOf(r.Prompt) {
		p.Tokens = append(p.Tokens, recipe.Token{Kind: "word", Text: w + "</w>"})
	}
	p.Rows, p.Cols = 1, 2
	for w := range p.Tokens {
		p.Words = append(p.Words, w)
	}
	for i := range r.Steps * 6 * len(p.Words) * 2 {
		cell, word, block, step := i%2, i/2%len(p.Words), i/2/len(p.Words)%6, i/2/len(p.Words)/6
		p.Attention = append(p.Attention, float32(1+len(r.Guidance))*float32(word+10*block+100*step+cell)/100)
	}
}

// TestAttention: the mean of a group's words over the cells, and over the steps or the
// blocks; a picture is made once, however many words, blocks and steps are looked at.
func TestAttention(t *testing.T) {
	for _, c := range []struct {
		name, series string
		x, want      float64 // of the prompt "a red frog at night": frog is word 3, night word 5
	}{
		{"words", "objects and colours, without guidance", 2, 3 + 20 + 150 + 0.5},
		{"words", "style, place and time, without guidance", 2, 5 + 20 + 150 + 0.5},
		{"words", "objects and colours, with guidance", 5, 2 * (3 + 50 + 150 + 0.5)},
		{"steps", "objects and colours, without guidance", 1, 3 + 25 + 0 + 0.5},
		{"steps", "style, place and time, with guidance", 4, 2 * (5 + 25 + 300 + 0.5)},
	} {
		e, err := Find(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, pictures, found := setting(), 0, false
		s.Model.Judge, s.Prompts = judge(), []string{"a red frog at night"}
		draw := func(ctx context.Context, r recipe.Request) (*recipe.Result, error) {
			pictures++
			return drawn(ctx, r)
		}
		err = Run(context.Background(), e, s, Machine{Draw: draw}, nil, func(r Row, _ int) error {
			if r.Series != c.series || r.X != c.x {
				return nil
			}
			if found = true; math.Abs(r.Value-c.want) > 1e-4 {
				t.Errorf("%s, %s at %g: %v, wanted %v", c.name, c.series, c.x, r.Value, c.want)
			}
			return nil
		})
		if err != nil || !found || pictures != 4 {
			t.Errorf("%s: %s is there: %v; %d pictures, wanted 4; %v", c.name, c.series, found, pictures, err)
		}
	}
}

func TestGroups(t *testing.T) {
	s := setting()
	said := func(prompt string) string {
		var list []string
		for _, g := range s.groups(prompt) {
			list = append(list, g.name+": "+strings.Join(g.words, " "))
		}
		return strings.Join(list, "; ")
	}
	check := func(prompt, want string) {
		t.Helper()
		if got := said(prompt); got != want {
			t.Errorf("of %q: %q, wanted %q", prompt, got, want)
		}
	}
	check("Two cars.", "all words: two cars")
	s.Model.Judge = judge()
	check("Two frogs, at night", "objects and colours: frogs; style, place and time: night")
	check("a house at night", "style, place and time: night")
	check("a house", "all words: a house")
	s.Words = []string{"house", "a"}
	check("a house and a frog", "a: a; house: house")
	check("two frogs", "")
}

// TestTokensOf: a word is found whole, and in the pieces that tokenizers make of it.
func TestTokensOf(t *testing.T) {
	for _, c := range []struct {
		pieces, words string
		want          []int
	}{
		{"▁A ▁snow man ▁in ▁the ▁snow .", "a", []int{1}},
		{"▁A ▁snow man ▁in ▁the ▁snow .", "snowman", []int{2, 3}},
		{"▁A ▁snow man ▁in ▁the ▁snow .", "snow", []int{6}},
		{"snow man</w> snow</w> water colour</w>", "watercolour snow", []int{3, 4, 5}},
		{"snow man</w> snow</w> water colour</w>", "water man", nil},
		{"two frogs", "frogs", []int{2}}, {"two frogs", "frog", nil},
	} {
		p := &recipe.Probe{Tokens: []recipe.Token{{}}}
		for _, text := range append(strings.Fields(c.pieces), "") {
			p.Tokens = append(p.Tokens, recipe.Token{Text: text})
		}
		if got := tokensOf(p, strings.Fields(c.words)); !slices.Equal(got, c.want) {
			t.Errorf("%q in %q is written with %v, wanted %v", c.words, c.pieces, got, c.want)
		}
	}
	e, err := Find("words")
	if err != nil {
		t.Fatal(err)
	}
	s := setting()
	blind := func(ctx context.Context, r recipe.Request) (*recipe.Result, error) {
		made, err := drawn(ctx, r)
		made.Probe.Tokens = nil
		return made, err
	}
	err = Run(context.Background(), e, s, Machine{Draw: blind}, nil, func(Row, int) error { return nil })
	if fault.Of(err).Code != fault.RequestInvalid {
		t.Errorf("of a model that reads none of the words: %v", err)
	}
}
