package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

func setting() Setting {
	return Setting{
		Model: recipe.Description{Model: "tiny", Blocks: recipe.Blocks{Double: 2, Single: 4}, Defaults: recipe.Defaults{CFG: 1},
			Presets: []recipe.Preset{{ID: "night", Title: "Night", Positive: "at night", Negative: "by day", Schedule: []byte(`{"kind":"constant"}`)},
				{ID: "neon", Title: "Neon", Positive: "neon", Schedule: []byte(`{"kind":"constant"}`)}}},
		Base:    recipe.Request{Steps: 4, Size: recipe.Square(16), CFG: 1},
		Prompts: []string{"a red frog in the snow", "two cars"}, Seeds: []uint32{0, 1},
		Direction: recipe.Term{Positive: "night", Negative: "day", Weight: 2, Schedule: guidance.Schedule{Kind: "constant"}},
	}
}

// drawn is a picture that depends on what is asked for, and on nothing else.
func drawn(_ context.Context, r recipe.Request) (*recipe.Result, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	sum := uint64(14695981039346656037)
	for _, b := range text {
		sum = (sum ^ uint64(b)) * 1099511628211
	}
	p := &recipe.Image{W: 16, H: 16, RGBA: make([]byte, 4*16*16)}
	random := rand.New(rand.NewPCG(sum, 0))
	for i := range p.RGBA {
		p.RGBA[i] = byte(random.IntN(256))
	}
	times := recipe.Timings{TotalMs: 100 + 10*float64(len(r.Guidance))}
	if len(r.Guidance) == 0 {
		times.PrepareMs, times.TotalMs = 50, times.TotalMs+50 // as of the first picture
	}
	out := &recipe.Result{Image: p, Timings: times}
	if r.Probe != nil { // two directions, at a right angle where they differ
		a, b := 3.0, 4.0
		both := 5.0
		if len(r.Guidance) == 2 && r.Guidance[0].Positive == r.Guidance[1].Positive {
			b, both = 3, 6
		}
		out.Geometry = []recipe.Geometry{{Geometry: guidance.Geometry{NormDelta: a}}, {Geometry: guidance.Geometry{NormDelta: b}}}
		out.Probe = &recipe.Probe{}
		for b := range 6 {
			turn := float64(10 * (b + 1))
			out.Probe.Blocks = append(out.Probe.Blocks, recipe.Vectors{Kind: "single", NormShift: both, AngleDegrees: []float64{turn, turn + 1, turn + 2, turn + 3}, Norm: []float64{5, float64(5 + len(r.Guidance)*b)}})
			for part := range 2 {
				long := float64((1 + part) * (1 + 2*len(r.Guidance)))
				out.Probe.Modulation = append(out.Probe.Modulation, recipe.Modulation{Block: b, Shift: []float64{long, long}, Scale: []float64{1, 1}, Gate: []float64{2, 4 * long}})
			}
		}
		out.Probe.Blocks = append(out.Probe.Blocks, recipe.Vectors{Kind: "head", AngleDegrees: []float64{90}})
		look(out.Probe, r)
	}
	return out, nil
}

// seen is what a judge says that sees more night the brighter the first pixel is, and a frog
// unless the second is bright.
func seen(_ context.Context, p *recipe.Image) (recipe.Judgement, error) {
	night, frog := float64(p.RGBA[0])/255, 1.0
	if p.RGBA[4] > 200 {
		frog = 0
	}
	return recipe.Judgement{"time": {1 - night, night}, "first": {1 - frog, frog}, "last": {1 - frog, frog}, "detail": {0, night, 1 - night}}, nil
}

// TestTrials holds every experiment to requests that the engine takes, to trials that are
// each there once, and to pairs that differ in what the experiment varies alone.
func TestTrials(t *testing.T) {
	want := map[string]int{
		"pooled": (4 + 2) * 3 * 2, // 1, 2, 4, 6 words and 1, 2; two seeds
		"lost":   (4 + 2) * 3 * 2,
		"weight": 4 * 7 * 4, // first blocks 0, 1, 3, 4
		"block":  6 * 2 * 4,
		"cost":   4 * 4,

		"guidance": (4*5 + 1) * 4, // four weights of four schedules and at random, and the words
		"turn":     2 * 6 * 4,
		"map":      2 * 2,
		"people":   2 * 4,
		"settings": 3 * 7 * 4,
		"added":    (3 + 2*4) * 4, // alone, and beside two presets from a weight of 0 on
		"angles":   2 * 6 * 4,
		"steady":   2 * 4 * 4,
		"norms":    4 * 6 * 4,
		"linear":   5 * 2 * 4,
		"words":    6 * 2 * 4, // six blocks, with and without guidance
		"steps":    4 * 2 * 4,
	}
	limits := recipe.Limits{Blocks: 6, MinSteps: 1, MaxSteps: 8, Sizes: []recipe.Size{recipe.Square(16)}}
	for _, e := range Experiments {
		trials, err := e.Trials(setting())
		if err != nil || len(trials) != want[e.Name] {
			t.Errorf("%s: %d trials, %v; wanted %d", e.Name, len(trials), err, want[e.Name])
		}
		seen := map[Point]bool{}
		for _, trial := range trials {
			if seen[trial.Point] {
				t.Errorf("%s: %+v is there twice", e.Name, trial.Point)
			}
			seen[trial.Point] = true
			asked := []recipe.Request{trial.Request}
			if !e.Alone {
				asked = append(asked, trial.Base)
			}
			for _, r := range asked {
				if err := r.Check(limits); err != nil {
					t.Errorf("%s: %+v: %v", e.Name, trial.Point, err)
				}
			}
			made := trial.Request
			if e.Alone || strings.HasPrefix(trial.Series, "words in") {
				continue // compared with nothing, or with other words
			}
			if made.Guidance, made.Ablate = nil, nil; made.Prompt != trial.Base.Prompt || made.Seed != trial.Base.Seed || trial.Base.Guidance != nil || trial.Base.Ablate != nil {
				t.Errorf("%s: %+v is compared with %+v", e.Name, trial.Request, trial.Base)
			}
		}
	}
	s := setting()
	s.Drawn = []float64{0, 1, 0.5, 0, -1, 0}
	if trials, err := guidanceTrials(s); err != nil || len(trials) != want["guidance"]+4*4 {
		t.Errorf("with a schedule drawn by hand: %d trials, %v", len(trials), err)
	} else if i := slices.IndexFunc(trials, func(t Trial) bool { return t.Series == "drawn by hand" }); !slices.Equal(trials[i].Request.Guidance[0].Schedule.Table, s.Drawn) || trials[i].Request.Check(limits) != nil {
		t.Errorf("drawn by hand is %+v", trials[i].Request.Guidance)
	}
	for _, e := range Experiments {
		s := setting()
		if s.Seeds = nil; e.Name == "weight" {
			s = setting()
			s.Direction = recipe.Term{}
		}
		if _, err := e.Trials(s); fault.Of(err).Code != fault.RequestInvalid {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	if _, err := Find("nothing"); err == nil || !strings.Contains(err.Error(), "pooled") {
		t.Errorf("an unknown experiment: %v", err)
	}
}

// TestRunResumes interrupts a run anywhere and goes on: the rows are those of a run that
// was not interrupted, and nothing is drawn twice.
func TestRunResumes(t *testing.T) {
	e, s := Experiments[0], setting()
	run := func(done []Row, most int) (rows []Row, pictures int, err error) {
		rows = slices.Clone(done)
		draw := func(ctx context.Context, r recipe.Request) (*recipe.Result, error) {
			if pictures++; pictures > most {
				return nil, errors.New("interrupted")
			}
			return drawn(ctx, r)
		}
		err = Run(context.Background(), e, s, Machine{Draw: draw}, done, func(r Row, left int) error { rows = append(rows, r); return nil })
		return rows, pictures, err
	}
	whole, pictures, err := run(nil, math.MaxInt)
	if err != nil || len(whole) != 36 {
		t.Fatalf("%d rows, %v", len(whole), err)
	}
	if most := 36 + 12; pictures != most { // each length of each prompt and seed has one picture to compare with
		t.Errorf("%d pictures, wanted %d", pictures, most)
	}
	for _, most := range []int{0, 1, 7, 30} {
		some, _, err := run(nil, most)
		if err == nil {
			t.Fatalf("after %d pictures it goes on", most)
		}
		all, _, err := run(some, math.MaxInt)
		if err != nil || !slices.Equal(all, whole) {
			t.Errorf("interrupted after %d pictures: %d rows, %v", most, len(all), err)
		}
	}
}

func TestResumeRefusesOthers(t *testing.T) {
	e, s := Experiments[1], setting()
	old := NewResults(e, s, "F32")
	old.Add(Row{Point: Point{"a", 1, "p", 0}, Value: 0.5}, 3)
	if r := NewResults(e, s, "F32"); r.Resume(old) != nil || len(r.Rows) != 1 {
		t.Error("the same setting is refused")
	}
	for name, change := range map[string]func(s *Setting, precision *string){
		"weight":    func(s *Setting, _ *string) { s.Direction.Weight = 3 },
		"prompt":    func(s *Setting, _ *string) { s.Prompts = []string{"a"} },
		"steps":     func(s *Setting, _ *string) { s.Base.Steps++ },
		"precision": func(_ *Setting, p *string) { *p = "Q8_0" },
	} {
		s, precision := setting(), "F32"
		change(&s, &precision)
		if err := NewResults(e, s, precision).Resume(old); fault.Of(err).Code != fault.RequestInvalid {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestSSIM(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	a := &recipe.Image{W: 24, H: 16, RGBA: make([]byte, 4*24*16)}
	for i := range a.RGBA {
		a.RGBA[i] = byte(random.IntN(256))
	}
	changed := func(f func(i int, v byte) byte) *recipe.Image {
		b := &recipe.Image{W: a.W, H: a.H, RGBA: make([]byte, len(a.RGBA))}
		for i, v := range a.RGBA {
			b.RGBA[i] = f(i, v)
		}
		return b
	}
	if s := SSIM(a, a); math.Abs(s-1) > 1e-12 {
		t.Errorf("of a picture with itself: %v", s)
	}
	if s := SSIM(a, changed(func(_ int, v byte) byte { return 255 - v })); s > -0.8 {
		t.Errorf("of a picture with its negative: %v", s)
	}
	if s := SSIM(a, changed(func(int, byte) byte { return byte(random.IntN(256)) })); math.Abs(s) > 0.2 {
		t.Errorf("of unrelated pictures: %v", s)
	}
	// Two even pictures have no variance: what is left is the comparison of their means.
	even := func(v byte) *recipe.Image { return changed(func(int, byte) byte { return v }) }
	x, y, c := 100.0, 150.0, 6.5025
	if got, want := SSIM(even(100), even(150)), (2*x*y+c)/(x*x+y*y+c); math.Abs(got-want) > 1e-9 {
		t.Errorf("of even pictures: %v, wanted %v", got, want)
	}
	if s := SSIM(a, &recipe.Image{W: 16, H: 24, RGBA: a.RGBA}); !math.IsNaN(s) {
		t.Errorf("of pictures of two sizes: %v", s)
	}
	if d := rms(even(100), even(150)); math.Abs(d-50) > 1e-9 {
		t.Errorf("colours that differ by 50 are %v apart", d)
	}
	if d := rms(a, &recipe.Image{W: 16, H: 24, RGBA: a.RGBA}); rms(a, a) != 0 || !math.IsNaN(d) {
		t.Errorf("a picture is %v from itself, and %v from one of another size", rms(a, a), d)
	}
}

// TestMeans holds the interval to that of the normal distribution, which it is near to for
// many values, and to the same for rows in any order.
func TestMeans(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var rows []Row
	sum, squares := 0.0, 0.0
	const n = 400
	for i := range n {
		v := 5 + 2*random.NormFloat64()
		sum, squares = sum+v, squares+v*v
		rows = append(rows, Row{Point: Point{"b", 1, "p", uint32(i)}, Value: v}, Row{Point: Point{"a", float64(-i), "p", 0}, Value: 1})
	}
	means := Means(rows)
	m := means[0]
	middle := sum / n
	half := 1.96 * math.Sqrt((squares/n-middle*middle)/n)
	if m.Series != "b" || m.N != n || math.Abs(m.Mean-middle) > 1e-9 || math.Abs(m.Low-(middle-half)) > 0.1*half || math.Abs(m.High-(middle+half)) > 0.1*half {
		t.Errorf("%+v, wanted %v ± %v", m, middle, half)
	}
	if len(means) != 1+n || means[1].X != -(n-1) || means[1].Low != 1 || means[1].High != 1 {
		t.Errorf("the other series: %+v", means[1])
	}
	slices.Reverse(rows)
	for _, again := range Means(rows) {
		if again.Series == "b" && again != m {
			t.Errorf("in another order %+v, wanted %+v", again, m)
		}
	}
	if !(Mean{Low: -1, High: 2}).Unsure() || (Mean{Low: 0.1, High: 2}).Unsure() {
		t.Error("a difference is not told from none")
	}
}

func TestWriting(t *testing.T) {
	for _, e := range Experiments {
		r := NewResults(e, setting(), "F32")
		r.Prompts[0] = `a "frog" <b>`
		s := setting()
		s.Prompts[0] = r.Prompts[0]
		if err := Run(context.Background(), e, s, Machine{Draw: drawn, Judge: seen, Vote: first, By: "me"}, nil, func(row Row, left int) error { r.Add(row, left); return nil }); err != nil {
			t.Fatal(err)
		}
		r.Sum()
		if !r.Whole {
			t.Errorf("%s is not whole", e.Name)
		}
		var csv, svg, text, table bytes.Buffer
		if err := errors.Join(r.WriteCSV(&csv), r.WriteSVG(&svg), r.WriteText(&text), r.WriteMarkdown(&table)); err != nil {
			t.Fatal(err)
		}
		rows := slices.DeleteFunc(strings.Split(table.String(), "\n"), func(line string) bool { return !strings.HasPrefix(line, "| ") })
		for _, row := range rows {
			if strings.Count(row, "|") != 5+min(1, len(r.Price)) {
				t.Errorf("%s: a row of the document's table is %q", e.Name, row)
			}
		}
		if len(rows) != 2+len(r.Means) {
			t.Errorf("%s: the document's table has %d rows for %d means", e.Name, len(rows), len(r.Means))
		}
		if lines := strings.Count(csv.String(), "\n"); lines != len(r.Rows)+1 {
			t.Errorf("%s: %d lines of CSV for %d rows", e.Name, lines, len(r.Rows))
		}
		circles := 0
		for d := xml.NewDecoder(&svg); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: the plot: %v", e.Name, err)
			}
			if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
				circles++
			}
		}
		if !e.Grid && circles != len(r.Means) {
			t.Errorf("%s: %d marks for %d means", e.Name, circles, len(r.Means))
		}
		for _, m := range r.Means {
			if !strings.Contains(text.String(), m.Series) {
				t.Errorf("%s: the table lacks %s", e.Name, m.Series)
			}
		}
		if e.Name == "cost" && r.Means[0].Mean != 10 {
			t.Errorf("the cost of one direction is %v", r.Means[0].Mean)
		}
	}
	var empty bytes.Buffer
	if r := NewResults(Experiments[0], setting(), "F32"); r.WriteSVG(&empty) != nil || !strings.HasSuffix(empty.String(), "</svg>\n") {
		t.Error("no rows have no plot")
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct{ low, high float64 }{{0, 1}, {-2, 4}, {0.001, 0.0042}, {0, 0}, {3, 57}, {-0.7, 123456}} {
		const wanted = 6
		list := ticks(c.low, c.high, wanted)
		if list[0] > c.low || list[len(list)-1] < c.high || len(list) < 3 || len(list) > wanted+4 || !slices.IsSorted(list) {
			t.Errorf("%v to %v: %v", c.low, c.high, list)
		}
	}
}
