package app

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/apptest"
)

// parseModel reads a description as the page does.
func parseModel(text []byte) (*Model, error) {
	d, err := recipe.ParseDescription(text)
	if err != nil {
		return nil, err
	}
	return NewModel(d)
}

func TestNewModel(t *testing.T) {
	m := model(t)
	if m.Bytes != 1234 || m.Depth() != 8 {
		t.Errorf("%d bytes, %d blocks", m.Bytes, m.Depth())
	}
	if p, ok := m.Preset(recipe.Term{Positive: "fine", Negative: "coarse"}); !ok || p.ID != "detail" || p.Low != -1 || p.High != 3 || p.Term.Schedule.Start != 1 {
		t.Errorf("detail is %+v", p)
	}
	if p, ok := m.Preset(m.Directions[1].Term); !ok || p.ID != "night" || p.Low != lowWeight || p.High != highWeight {
		t.Errorf("night is %+v", p)
	}
	if p, ok := m.Preset(recipe.Term{Positive: "fine"}); ok || p.Low != lowWeight {
		t.Errorf("words of one's own are %+v", p)
	}
	own := m.Directions[1]
	own.ID, own.Term.Schedule.Start, own.High = "own-night", 3, 2
	m.Directions = append(m.Directions, own)
	if p, _ := m.Preset(own.Term); p.ID != "own-night" {
		t.Errorf("of two with the same words, the one that begins at block 3 is %+v", p)
	}
	if p, _ := m.Preset(m.Directions[1].Term); p.ID != "night" {
		t.Errorf("of two with the same words, the first is %+v", p)
	}
	for name, change := range map[string][2]string{
		"HTML":     {apptest.Text, "<!doctype html>"},
		"no name":  {`"sprites"`, `""`},
		"no depth": {`"double":2,"single":6`, `"double":0,"single":0`},
		"too deep": {`"double":2`, `"double":20000000`},
		"negative": {`"double":2`, `"double":-2`},
		"no steps": {`{"steps":4`, `{"steps":0`},
		"no limit": {`"maxSteps":50`, `"maxSteps":0`},
		"no sizes": {`"sizes":[256]`, `"sizes":[]`},
		"range":    {`"range":[-1,3]`, `"range":"far"`},
		"slope":    {`{"kind":"constant"}`, `{"kind":"constant","slope":1}`},
	} {
		if _, err := parseModel([]byte(strings.Replace(apptest.Text, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
