package guidance

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// weights repeats values: (5, 0, 52, 3) is five zeros and 52 threes.
func weights(pairs ...float32) []float32 {
	var w []float32
	for i := 0; i < len(pairs); i += 2 {
		w = append(w, slices.Repeat([]float32{pairs[i+1]}, int(pairs[i]))...)
	}
	return w
}

func TestWeights(t *testing.T) {
	table57 := make([]float64, 57)
	for i := range table57 {
		table57[i] = float64(i) / 4
	}
	for _, c := range []struct {
		name   string
		s      Schedule
		w      float64
		blocks int
		want   []float32
	}{
		{"constant", Schedule{Kind: "constant"}, 3, 4, []float32{3, 3, 3, 3}},
		{"no kind is constant", Schedule{}, -1.5, 2, []float32{-1.5, -1.5}},
		{"constant needs no depth", Schedule{Kind: "constant", Of: 57}, 1, 3, []float32{1, 1, 1}},

		{"start is included", Schedule{Kind: "step", Start: 2}, 3, 5, []float32{0, 0, 3, 3, 3}},
		{"start 0 is constant", Schedule{Kind: "step"}, 3, 3, []float32{3, 3, 3}},
		{"last block", Schedule{Kind: "step", Start: 4}, 3, 5, []float32{0, 0, 0, 0, 3}},
		{"FLUX", Schedule{Kind: "step", Start: 5, Of: 57}, 3, 57, weights(5, 0, 52, 3)},
		{"FLUX on 8 blocks", Schedule{Kind: "step", Start: 5, Of: 57}, 3, 8, weights(1, 0, 7, 3)},
		{"FLUX on 6 blocks", Schedule{Kind: "step", Start: 5, Of: 57}, 3, 6, weights(1, 0, 5, 3)},
		{"8 blocks on FLUX", Schedule{Kind: "step", Start: 1, Of: 8}, 3, 57, weights(7, 0, 50, 3)},
		{"half of anything", Schedule{Kind: "step", Start: 4, Of: 8}, 1, 57, weights(28, 0, 29, 1)},
		{"last of many on few", Schedule{Kind: "step", Start: 56, Of: 57}, 2, 8, weights(7, 0, 1, 2)},

		{"window ends are included", Schedule{Kind: "window", Start: 1, End: 3}, 2, 6, []float32{0, 2, 2, 2, 0, 0}},
		{"window of one", Schedule{Kind: "window", Start: 2, End: 2}, -2, 4, []float32{0, 0, -2, 0}},
		{"window carried over", Schedule{Kind: "window", Start: 20, End: 35, Of: 57}, 1, 8, []float32{0, 0, 0, 1, 1, 0, 0, 0}},
		{"a short window does not vanish", Schedule{Kind: "window", Start: 0, End: 1, Of: 57}, 1, 8, weights(1, 1, 7, 0)},
		{"nor in the middle", Schedule{Kind: "window", Start: 28, End: 28, Of: 57}, 1, 4, []float32{0, 0, 1, 0}},

		{"intervals", Schedule{Kind: "intervals", Intervals: []Interval{{1, 3, 1}, {3, 4, -0.5}}}, 2, 6, []float32{0, 2, 2, -1, 0, 0}},
		{"hands", Schedule{Kind: "intervals", Of: 57, Intervals: []Interval{{13, 30, 3}, {30, 45, 1}}}, 1, 57, weights(13, 0, 17, 3, 15, 1, 12, 0)},
		// 13·8/57 = 1.8, 30·8/57 = 4.2, 45·8/57 = 6.3
		{"hands on 8", Schedule{Kind: "intervals", Of: 57, Intervals: []Interval{{13, 30, 3}, {30, 45, 1}}}, 1, 8, []float32{0, 0, 3, 3, 1, 1, 0, 0}},

		{"table", Schedule{Kind: "table", Table: []float64{0, 1, -2}}, 1.5, 3, []float32{0, 1.5, -3}},
		{"table stretched", Schedule{Kind: "table", Of: 3, Table: []float64{0, 1, 2}}, 1, 6, []float32{0, 0, 1, 1, 2, 2}},
		// Middles at 3.6, 10.7, 17.8, 24.9, 32.1, 39.2, 46.3, 53.4.
		{"table shrunk", Schedule{Kind: "table", Of: 57, Table: table57}, 4, 8, []float32{3, 10, 17, 24, 32, 39, 46, 53}},

		{"w = 0", Schedule{Kind: "bumps"}, 0, 3, []float32{0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.s.Weights(c.w, c.blocks)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestBumps(t *testing.T) {
	near := func(got float32, want float64) bool { return math.Abs(float64(got)-want) < 1e-6 }
	w, err := Schedule{Kind: "bumps"}.Weights(3, 57)
	if err != nil {
		t.Fatal(err)
	}
	// 3·(1 + e⁻⁶) at both centres, 3·2e⁻³ half way, 3·(e⁻⁴ + e⁻¹⁰) at the start.
	for l, want := range map[int]float64{20: 3.0074363, 50: 3.0074363, 35: 0.2987224, 0: 0.0550831, 25: 1.1238523} {
		if !near(w[l], want) {
			t.Errorf("block %d of 57: got %v, want %v", l, w[l], want)
		}
	}
	// On 19 blocks, each stands for three: block 6 is in the middle of 18, 19, 20
	// and block 16 in the middle of 48, 49, 50.
	w, err = Schedule{Kind: "bumps", Width: 1}.Weights(1, 19)
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range map[int]float64{6: 0.3678794, 7: 0.1353353, 16: 0.3678794, 17: 0.1353353, 0: 0} {
		if !near(w[l], want) {
			t.Errorf("block %d of 19: got %v, want %v", l, w[l], want)
		}
	}
	// Absolute centres of one's own.
	w, err = Schedule{Kind: "bumps", Centers: []float64{1}, Width: 2}.Weights(1, 4)
	if err != nil || !near(w[1], 1) || !near(w[0], 0.6065307) || !near(w[3], 0.3678794) {
		t.Errorf("got %v, %v", w, err)
	}
}

func TestWeightsRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		s      Schedule
		w      float64
		blocks int
		names  []string // all to be found in the sentence
	}{
		{Schedule{}, 20.5, 6, []string{"weight", "20.5", "-20 and 20"}},
		{Schedule{}, -21, 6, []string{"weight", "-21", "-20 and 20"}},
		{Schedule{}, nan, 6, []string{"weight", "NaN"}},
		{Schedule{}, inf, 6, []string{"weight", "+Inf"}},
		{Schedule{}, 1, 0, []string{"number of blocks", "0", "1 and 1000"}},
		{Schedule{}, 1, 1001, []string{"1001", "1 and 1000"}},
		{Schedule{Of: -1}, 1, 6, []string{"of", "-1"}},
		{Schedule{Of: 1001}, 1, 6, []string{"of", "1001", "1000"}},
		{Schedule{Kind: "slope"}, 1, 6, []string{"slope", "constant step window bumps intervals table"}},
		{Schedule{Kind: "step", Start: 6}, 1, 6, []string{"start", "6", "0 to 5"}},
		{Schedule{Kind: "step", Start: 57, Of: 57}, 1, 6, []string{"start", "57", "0 to 56"}},
		{Schedule{Kind: "step", Start: -1}, 1, 6, []string{"start", "-1"}},
		{Schedule{Kind: "window", Start: -1, End: 2}, 1, 6, []string{"start", "-1"}},
		{Schedule{Kind: "window", Start: 3, End: 2}, 1, 6, []string{"end", "2", "3 to 5"}},
		{Schedule{Kind: "window", Start: 3, End: 6}, 1, 6, []string{"end", "6", "3 to 5"}},
		{Schedule{Kind: "bumps", Width: -1}, 1, 6, []string{"width", "-1"}},
		{Schedule{Kind: "bumps", Width: nan}, 1, 6, []string{"width", "NaN"}},
		{Schedule{Kind: "bumps", Centers: []float64{6}}, 1, 6, []string{"center", "6", "0 to 5"}},
		{Schedule{Kind: "bumps", Centers: []float64{nan}}, 1, 6, []string{"center", "NaN"}},
		{Schedule{Kind: "bumps", Centers: make([]float64, 1001)}, 1, 6, []string{"centers", "1001", "1000"}},
		{Schedule{Kind: "intervals"}, 1, 6, []string{"intervals", "0", "at least 1"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{-1, 2, 1}}}, 1, 6, []string{"from", "-1"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{2, 2, 1}}}, 1, 6, []string{"to", "2"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{2, 7, 1}}}, 1, 6, []string{"to", "7", "6 blocks"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{0, 3, 1}, {2, 4, 1}}}, 1, 6, []string{"from", "2", "3"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{0, 3, nan}}}, 1, 6, []string{"weight", "NaN"}},
		{Schedule{Kind: "intervals", Intervals: []Interval{{0, 3, 21}}}, 1, 6, []string{"weight", "21"}},
		{Schedule{Kind: "table", Table: make([]float64, 5)}, 1, 6, []string{"table", "5", "6 blocks"}},
		{Schedule{Kind: "table", Table: make([]float64, 6), Of: 57}, 1, 6, []string{"table", "6", "57 blocks"}},
		{Schedule{Kind: "table", Table: []float64{0, inf}}, 1, 2, []string{"table", "value 1", "+Inf"}},
	} {
		w, err := c.s.Weights(c.w, c.blocks)
		var e *Error
		if w != nil || !errors.As(err, &e) {
			t.Errorf("%+v, %v, %d blocks: got %v, %v, want an *Error", c.s, c.w, c.blocks, w, err)
			continue
		}
		for _, n := range c.names {
			if !strings.Contains(err.Error(), n) {
				t.Errorf("%q does not name %q", err, n)
			}
		}
	}
	for _, w := range []float64{20, -20} {
		if _, err := (Schedule{}).Weights(w, 6); err != nil {
			t.Errorf("weight %v: %v", w, err)
		}
	}
}

func TestBlend(t *testing.T) {
	y := []float32{1, 2, 10, 20} // two steps
	dst := make([]float32, 2*4*2)
	err := Blend(dst, y, 2, 2, 3, []Direction{
		{Delta: []float32{1, -1}, Weights: []float32{0, 3, -2}},
		{Delta: []float32{100, 0}, Weights: []float32{1, 0, 1}, Head: -0.5},
	})
	want := []float32{
		101, 2, 4, -1, 99, 4, -49, 2,
		110, 20, 13, 17, 108, 22, -40, 20,
	}
	if err != nil || !slices.Equal(dst, want) {
		t.Errorf("got %v, %v, want %v", dst, err, want)
	}
}

// With weights of zero, every block and the head see the very bits of y, even
// where adding zero times a direction would change them.
func TestBlendZeroIsACopy(t *testing.T) {
	negZero, nan, inf := float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1))
	y := []float32{negZero, nan, 1e-45, -3.25}
	delta := []float32{1, 1, inf, nan}
	for name, dirs := range map[string][]Direction{
		"no direction": nil,
		"weight 0":     {{Delta: delta, Weights: make([]float32, 2)}},
		"weight −0":    {{Delta: delta, Weights: []float32{negZero, negZero}, Head: negZero}},
	} {
		dst := make([]float32, 3*4)
		if err := Blend(dst, y, 1, 4, 2, dirs); err != nil {
			t.Fatal(err)
		}
		for i, v := range dst {
			if math.Float32bits(v) != math.Float32bits(y[i%4]) {
				t.Errorf("%s: element %d is %v, want %v", name, i, v, y[i%4])
			}
		}
	}
}

// Products are rounded before they are added: w·δ = 1 − 2⁻²⁶ rounds to 1, where a
// fused sum with −1 would keep what was rounded away.
func TestBlendRoundsProducts(t *testing.T) {
	w, delta := float32(1+1.0/(1<<13)), float32(1-1.0/(1<<13))
	dst := make([]float32, 2)
	if err := Blend(dst, []float32{-1}, 1, 1, 1, []Direction{{Delta: []float32{delta}, Weights: []float32{w}, Head: w}}); err != nil {
		t.Fatal(err)
	}
	if dst[0] != 0 || dst[1] != 0 {
		t.Errorf("block and head see %g, want 0", dst)
	}
}

// The head stays unguided unless asked for.
func TestHeadDefault(t *testing.T) {
	dst := make([]float32, 2)
	if err := Blend(dst, []float32{5}, 1, 1, 1, []Direction{{Delta: []float32{1}, Weights: []float32{3}}}); err != nil {
		t.Fatal(err)
	}
	if dst[0] != 8 || dst[1] != 5 {
		t.Errorf("block and head see %v, want [8 5]", dst)
	}
}

func TestBlendRefuses(t *testing.T) {
	one := Direction{Delta: []float32{1, 2}, Weights: []float32{1, 1, 1}}
	with := func(change func(d *Direction)) []Direction {
		d := one
		change(&d)
		return []Direction{one, d}
	}
	for _, c := range []struct {
		dst, y, steps, dim, blocks int
		dirs                       []Direction
		names                      []string
	}{
		{8, 2, 0, 2, 3, nil, []string{"0×2"}},
		{8, 2, 1, 2, 0, nil, []string{"number of blocks", "0"}},
		{8, 3, 1, 2, 3, nil, []string{"length of y", "3", "= 2"}},
		{9, 2, 1, 2, 3, nil, []string{"length of dst", "9", "= 8"}},
		{8, 2, 1, 2, 3, with(func(d *Direction) { d.Delta = make([]float32, 3) }), []string{"direction 1", "3", "2"}},
		{8, 2, 1, 2, 3, with(func(d *Direction) { d.Weights = make([]float32, 57) }), []string{"direction 1", "57", "3 blocks"}},
		{8, 2, 1, 2, 3, with(func(d *Direction) { d.Head = 21 }), []string{"head", "21", "-20 and 20"}},
		{8, 2, 1, 2, 3, with(func(d *Direction) { d.Head = float32(math.NaN()) }), []string{"head", "NaN"}},
		{8, 2, 1, 2, 3, with(func(d *Direction) { d.Weights = []float32{0, 0, float32(math.Inf(-1))} }), []string{"direction 1", "block 2", "-Inf"}},
	} {
		err := Blend(make([]float32, c.dst), make([]float32, c.y), c.steps, c.dim, c.blocks, c.dirs)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("got %v, want an *Error naming %q", err, c.names)
			continue
		}
		for _, n := range c.names {
			if !strings.Contains(err.Error(), n) {
				t.Errorf("%q does not name %q", err, n)
			}
		}
	}
}

func TestDelta(t *testing.T) {
	if got := Delta([]float32{3, 1, -2}, []float32{1, 1, 5}); !slices.Equal(got, []float32{2, 0, -7}) {
		t.Errorf("got %v, want [2 0 -7]", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("vectors of different lengths were taken")
		}
	}()
	Delta([]float32{1}, []float32{1, 2})
}

func TestReadOut(t *testing.T) {
	for _, c := range []struct {
		y, delta []float32
		want     Geometry
	}{
		{[]float32{3, 4}, []float32{-6, -8}, Geometry{5, 10, 180}},
		{[]float32{3, 4}, []float32{-4, 3}, Geometry{5, 5, 90}},
		{[]float32{1, 1, 1}, []float32{2, 2, 2}, Geometry{math.Sqrt(3), math.Sqrt(12), 0}}, // cos may exceed 1 by rounding
		{[]float32{1, 0}, []float32{1, 1}, Geometry{1, math.Sqrt2, 45}},
		{[]float32{1, 0}, []float32{0, 0}, Geometry{1, 0, 90}},
	} {
		g := ReadOut(c.y, c.delta)
		for i, got := range []float64{g.NormY, g.NormDelta, g.AngleDegrees} {
			if want := []float64{c.want.NormY, c.want.NormDelta, c.want.AngleDegrees}[i]; !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("%v and %v: got %+v, want %+v", c.y, c.delta, g, c.want)
			}
		}
	}
}

func TestPresets(t *testing.T) {
	want := map[string][]float32{ // on the model each was found on
		"aesthetics": weights(5, 0, 52, 3), "complexity": weights(5, 0, 52, 3), "counting": weights(5, 0, 52, 3),
		"hands":            weights(13, 0, 17, 3, 15, 1, 12, 0),
		"aesthetics-sd3.5": weights(2, 0, 36, 2), "aesthetics-hidream": weights(5, 0, 43, 3), "aesthetics-cosmos": weights(28, 3), "video": weights(5, 0, 55, 3.5),
	}
	seen := 0
	for _, p := range Presets() {
		got, err := p.Schedule.Weights(p.Weight, p.Schedule.Of)
		if err != nil || !slices.Equal(got, want[p.ID]) {
			t.Errorf("%s: got %v, %v, want %v", p.ID, got, err, want[p.ID])
		}
		if head := map[bool]float64{true: 3}[p.ID == "aesthetics-hidream"]; p.Head != head {
			t.Errorf("%s: the head gets %v, want %v", p.ID, p.Head, head)
		}
		if p.Title == "" || p.Positive == "" || p.Negative == "" || p.Positive == p.Negative {
			t.Errorf("%s: %+v", p.ID, p)
		}
		seen++
	}
	if seen != len(want) {
		t.Errorf("%d presets, want %d", seen, len(want))
	}
}

// A family is offered the paper's directions as it has them for that family.
func TestPresetsFor(t *testing.T) {
	for family, want := range map[string]Preset{
		"flux": {Weight: 3, Schedule: Schedule{Kind: "step", Start: 5, Of: 57}}, "sd3": {Weight: 2, Schedule: Schedule{Kind: "step", Start: 2, Of: 38}},
		"hidream": {Weight: 3, Head: 3, Schedule: Schedule{Kind: "step", Start: 5, Of: 48}}, "cosmos": {Weight: 3, Schedule: Schedule{Kind: "step", Of: 28}},
	} {
		all := PresetsFor(family)
		if len(all) != 4 {
			t.Fatalf("%s: %d presets", family, len(all))
		}
		if p := all[0]; p.ID != "aesthetics" || p.Weight != want.Weight || p.Head != want.Head || !reflect.DeepEqual(p.Schedule, want.Schedule) {
			t.Errorf("%s: %+v, want %+v", family, p, want)
		}
	}
	if all := PresetsFor("wan"); len(all) != 0 {
		t.Errorf("of a family for which nothing was published there are %d", len(all))
	}
}

func TestJSON(t *testing.T) {
	const text = `{"id":"hands","title":"Hands","positive":"a","negative":"b","weight":3,"head":0,"schedule":{"kind":"intervals","of":57,"intervals":[{"from":13,"to":30,"weight":1}]}}`
	var p Preset
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	want := Preset{ID: "hands", Title: "Hands", Positive: "a", Negative: "b", Weight: 3,
		Schedule: Schedule{Kind: "intervals", Of: 57, Intervals: []Interval{{From: 13, To: 30, Weight: 1}}}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v, want %+v", p, want)
	}
	if back, err := json.Marshal(p); err != nil || string(back) != text {
		t.Errorf("came back as %s, %v", back, err)
	}
}
