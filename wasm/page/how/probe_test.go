package how

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

// looked is a probe of two steps, two blocks and three tokens over 2 × 2 cells.
// Every number is 100·step + 10·block + word, in thousandths, and a bit for its cell.
func looked(t *testing.T) *probe {
	t.Helper()
	p := &probe{}
	if err := json.Unmarshal([]byte(`{
		"tokens": [{"id": 1, "text": "", "kind": "start"}, {"id": 9, "text": "frog", "kind": "word"}, {"id": 2, "text": "", "kind": "end"}],
		"padding": 6, "times": [1, 0.5, 0], "normY": [3, 5], "words": [0, 1, 2], "rows": 2, "cols": 2,
		"blocks": [
			{"kind": "double", "norm": [3, 5], "angleDegrees": [0, 0], "normShift": 0},
			{"kind": "single", "norm": [4, 6], "angleDegrees": [30, 20], "normShift": 2},
			{"kind": "head", "norm": [3, 5], "angleDegrees": [0, 0], "normShift": 9}],
		"modulation": [
			{"block": 0, "part": "image attention", "shift": [1, 3], "scale": [2, 2], "gate": [4, 4]},
			{"block": 0, "part": "text attention", "shift": [3, 5], "scale": [4, 4], "gate": [0, 0]},
			{"block": 1, "part": "block", "shift": [7, 7], "scale": [8, 8], "gate": [9, 9]},
			{"block": 2, "part": "head", "shift": [1, 1], "scale": [1, 1]}]}`), p); err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for s := range 2 {
		for b := range 2 {
			for w := range 3 {
				for c := range 4 {
					v := float32(100*s+10*b+w)/1000 + float32(c*w)/1e4
					raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
				}
			}
		}
	}
	if err := p.take(raw); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][]byte{nil, raw[4:], append(raw, 0, 0, 0, 0)} {
		q := *p
		if q.take(wrong) == nil {
			t.Errorf("%d bytes of attention were taken for %d", len(wrong), len(raw))
		}
	}
	return p
}

func TestProbeMaps(t *testing.T) {
	p := looked(t)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	raw := func(s, b, w, c int) float64 { return float64(100*s+10*b+w)/1000 + float64(c*w)/1e4 }
	share := func(s, b, w, c int) float64 {
		return raw(s, b, w, c) / (raw(s, b, 0, c) + raw(s, b, 1, c) + raw(s, b, 2, c))
	}
	near("step 1, block 0, word 2, cell 3", float64(p.cell(2, 1, 0)[3]), share(1, 0, 2, 3))
	near("block 1 of word 1, cell 2", float64(p.mean(1, 1)[2]), (share(0, 1, 1, 2)+share(1, 1, 1, 2))/2)
	near("all blocks of word 1, cell 0", float64(p.mean(1, -1)[0]), (share(0, 0, 1, 0)+share(0, 1, 1, 0)+share(1, 0, 1, 0)+share(1, 1, 1, 0))/4)
	near("step 0 of word 0", float64(p.step(0, 0)[1]), (share(0, 0, 0, 1)+share(0, 1, 0, 1))/2)
	near("the words of a cell together", float64(p.cell(0, 0, 0)[2]+p.cell(1, 0, 0)[2]+p.cell(2, 0, 0)[2]), 1)
	near("the prompt's part", p.prompt, 3*(.055+.001)+3*.00015)
	least, mean, most, at := extremes([]float32{3, 2, 8, 3})
	if least != 2 || mean != 4 || most != 8 || at != 2 {
		t.Errorf("least %g, mean %g, most %g at %d", least, mean, most, at)
	}
	// Of 100 cells, two are far above the rest.
	q := &probe{Probe: recipe.Probe{Tokens: p.Tokens, Times: []float64{1, 0}, Blocks: p.Blocks[:2], Words: []int{0}, Rows: 10, Cols: 10, Attention: make([]float32, 100)}}
	for i := range q.Attention {
		q.Attention[i] = float32(i) / 200
	}
	q.Attention[3], q.Attention[50] = .9, 1
	if top := q.topShare(0); top < .49 || top > .5 {
		t.Errorf("colours end at %g", top)
	}
	if w := p.mostInformative(); w != 1 {
		t.Errorf("token %d is shown first, though it is no word", w)
	}
	if b := p.mostTurned(); b != 1 {
		t.Errorf("block %d is turned furthest", b)
	}
	shift, scale, gate := p.lengths(0)
	near("shift", shift, 3)
	near("scale", scale, 3)
	near("gate", gate, 2)
	if p.column(7) != -1 {
		t.Error("a token that was not asked for has a map")
	}
}

func TestProbePictures(t *testing.T) {
	p := looked(t)
	w, h, rgba := strip([][]float32{p.cell(1, 0, 0), p.cell(1, 1, 0)}, 2, 2, p.topShare(1))
	if w != 5 || h != 2 || len(rgba) != 4*10 {
		t.Fatalf("the strip is %d × %d with %d bytes", w, h, len(rgba))
	}
	for i := range 10 {
		if gap := i%5 == 2; (rgba[4*i+3] == 0) != gap {
			t.Errorf("pixel %d has the alpha %d", i, rgba[4*i+3])
		}
	}
	// Of maps of one row and three columns.
	w, h, rgba = strip([][]float32{{0, 0, 1}, {1, 0, 0}}, 1, 3, 1)
	if w != 7 || h != 1 || len(rgba) != 4*7 || rgba[4*2] != 252 || rgba[4*3+3] != 0 || rgba[4*4] != 252 || rgba[4*5] != 24 {
		t.Errorf("a strip of wide maps is %d × %d: %v", w, h, rgba)
	}
	light := func(x float64) float64 {
		r, g, b := heat(x)
		return .2126*float64(r) + .7152*float64(g) + .0722*float64(b)
	}
	for x := -.1; x < 1.1; x += .05 {
		if light(x) > light(x+.05)+.6 {
			t.Errorf("%g is darker than %g", x+.05, x)
		}
	}
	if v := overlay([]float32{1, 2, 2, 3}); v[3] != 200 || v[4+3] != 100 || v[4*3+3] != 0 {
		t.Errorf("the overlay is %v", v)
	}
	if v := overlay(make([]float32, 4)); v[3] != 200 {
		t.Errorf("over an even map the overlay is %v", v)
	}
}

func TestTimeParts(t *testing.T) {
	parts := parts(recipe.Timings{TextMs: 1, GuidanceMs: 2, ModulationMs: 3, StepsMs: []float64{4, 5}, DecodeMs: 6, TotalMs: 30, ProbeMs: 2})
	sum := 0.0
	for _, p := range parts {
		sum += p.ms
	}
	if math.Abs(sum-28) > 1e-9 || parts[3].ms != 9 || math.Abs(parts[5].ms-7) > 1e-9 {
		t.Errorf("parts %+v", parts)
	}
	var l app.Live
	l.Measured(recipe.Timings{TotalMs: 100, ProbeMs: 50})
	if l.Median() != 0 {
		t.Error("a picture that was looked at says how fast pictures are")
	}
}
