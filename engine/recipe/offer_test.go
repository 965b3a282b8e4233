package recipe

import (
	"strings"
	"testing"

	"undertone/engine/fault"
)

// described is a description with what programs count on, and no more.
const described = `{"model":"m","blocks":{"double":1,"single":2},"sizes":[16,[32,16]],"maxSteps":9,"defaults":{"steps":4,"size":16,"cfg":1,"seed":7,"prompt":"a frog"},
"presets":[{"id":"p","positive":"a","negative":"b","weight":2,"head":1,"schedule":{"kind":"step","start":1}}],"later":true}`

func TestParseDescription(t *testing.T) {
	d, err := ParseDescription([]byte(described))
	if err != nil {
		t.Fatal(err)
	}
	if l := d.Limits(); l.Blocks != 3 || l.MaxSteps != 9 || len(l.Sizes) != 2 || l.Sizes[1] != (Size{Width: 32, Height: 16}) {
		t.Errorf("the limits are %+v", l)
	}
	q := d.Request()
	if err := q.Check(d.Limits()); err != nil || q.Prompt != "a frog" || q.Seed != 7 || q.Steps != 4 || q.CFG != 1 || len(q.Guidance) != 0 {
		t.Errorf("the proposed picture is %+v: %v", q, err)
	}
	if p, err := d.Presets[0].Term(); err != nil || p.Positive != "a" || p.Negative != "b" || p.Weight != 2 || p.Head != 1 || p.Schedule.Start != 1 {
		t.Errorf("the preset is %+v: %v", p, err)
	}
	for name, c := range map[string][2]string{
		"nothing":     {described, "null"},
		"a web page":  {described, "<!doctype html>"},
		"a number":    {described, "7"},
		"no name":     {`"model":"m"`, `"model":""`},
		"no blocks":   {`"double":1,"single":2`, `"double":0,"single":0`},
		"fewer":       {`"double":1`, `"double":-1`},
		"too deep":    {`"single":2`, `"single":1000000000000`},
		"overflowing": {`"double":1,"single":2`, `"double":9223372036854775807,"single":9223372036854775807`},
		"no sizes":    {`[16,[32,16]]`, `[]`},
		"a size":      {`[16,[32,16]]`, `[16,-16]`},
		"another":     {`"size":16`, `"size":17`},
		"no steps":    {`"maxSteps":9`, `"maxSteps":3`},
		"schedule":    {`{"kind":"step","start":1}`, `{"kind":"step","slope":1}`},
		"no schedule": {`,"schedule":{"kind":"step","start":1}`, ``},
	} {
		text := strings.Replace(described, c[0], c[1], 1)
		if text == described {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ParseDescription([]byte(text)); !fault.Is(err, fault.ManifestInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseDescription holds whatever is taken to what programs count on.
func FuzzParseDescription(f *testing.F) {
	f.Add([]byte(described))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDescription(text)
		if err != nil {
			return
		}
		if l := d.Limits(); l.Blocks < 1 || l.MaxSteps < 1 || len(l.Sizes) == 0 || l.Sizes[0].Width < 1 || l.Sizes[0].Height < 1 {
			t.Errorf("%+v was taken", l)
		}
		for _, p := range d.Presets {
			if _, err := p.Term(); err != nil {
				t.Error(err)
			}
		}
	})
}
