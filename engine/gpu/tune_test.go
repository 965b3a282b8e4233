package gpu

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// track is a made-up device: time passes only while it runs.
type track struct {
	clock   time.Time
	compile time.Duration                               // of each contest
	cost    func(c contest, way, run int) time.Duration // run counts the runs of the contest so far
	quantum time.Duration                               // to which its clock rounds
	set     []string
	held    int
	longest time.Duration // that several ways took at once
	fail    error
}

func (d *track) now() time.Time { return d.clock }

func (d *track) course(ctx context.Context, c *contest) (course, func(), error) {
	d.clock = d.clock.Add(d.compile)
	d.set = append(d.set, c.shape)
	d.held++
	ran := 0
	return func(ctx context.Context, order, runs []int) ([]time.Duration, error) {
		took, begin := make([]time.Duration, len(runs)), d.clock
		for _, i := range order {
			for range runs[i] {
				took[i] += d.cost(*c, i, ran)
			}
			d.clock = d.clock.Add(took[i])
			if d.quantum > 0 {
				took[i] = took[i] / d.quantum * d.quantum
			}
			ran++
		}
		if len(order) > 1 {
			d.longest = max(d.longest, d.clock.Sub(begin))
		}
		return took, d.fail
	}, func() { d.held-- }, d.fail
}

func (d *track) search(t *testing.T, list []contest, budget time.Duration) []Trial {
	t.Helper()
	out, err := search(t.Context(), list, budget, d.now, nil, d.course)
	if err != nil || d.held != 0 {
		t.Errorf("%v, %d contests are still held", err, d.held)
	}
	return out
}

func made(n, ways int) (list []contest) {
	for i := range n {
		c := contest{shape: fmt.Sprint("shape ", i)}
		for w := range ways {
			c.ways = append(c.ways, way{variant: []string{Usual, "b", "c", "d"}[w]})
		}
		list = append(list, c)
	}
	return list
}

func TestSearchFinds(t *testing.T) {
	for name, c := range map[string]struct {
		us    [3]float64
		taken string
	}{
		"the usual is fastest":        {[3]float64{10, 12, 11}, Usual},
		"another is":                  {[3]float64{20, 14, 10}, "c"},
		"only four per cent":          {[3]float64{10.4, 10, 30}, Usual},
		"a tenth":                     {[3]float64{11, 10, 30}, "b"},
		"long ones":                   {[3]float64{30_000, 20_000, 90_000}, "b"},
		"shorter than the clock sees": {[3]float64{0.4, 0.2, 0.3}, "b"},
	} {
		d := &track{quantum: 100 * time.Microsecond, cost: func(_ contest, way, _ int) time.Duration {
			return time.Duration(c.us[way] * float64(time.Microsecond))
		}}
		trials := d.search(t, made(1, 3), time.Hour)
		if len(trials) != 1 || trials[0].Taken != c.taken || len(trials[0].Ms) != 3 {
			t.Errorf("%s: %+v, want %s", name, trials, c.taken)
		}
	}
}

// TestSearchResistsNoise: two variants of the same speed, measured with noise of every
// kind, keep the usual one.
func TestSearchResistsNoise(t *testing.T) {
	noises := map[string]func(r *rand.Rand, run int) float64{
		"even":            func(r *rand.Rand, _ int) float64 { return 0.9 + 0.2*r.Float64() },
		"outliers":        func(r *rand.Rand, _ int) float64 { return 1 + 9*float64(r.IntN(8)/7) },
		"the clock falls": func(_ *rand.Rand, run int) float64 { return 1 / (1 + 0.02*float64(run)) },
	}
	for name, noise := range noises {
		flips := 0
		for seed := range uint64(200) {
			r := rand.New(rand.NewPCG(seed, 1))
			factor, last := 1.0, -1
			d := &track{cost: func(_ contest, _, run int) time.Duration {
				if run != last {
					factor, last = noise(r, run), run
				}
				return time.Duration(factor * 1e5)
			}}
			for _, trial := range d.search(t, made(1, 3), time.Hour) {
				if trial.Taken != Usual {
					flips++
				}
			}
		}
		if flips > 2 {
			t.Errorf("%s: %d of 200 searches found a winner among equals", name, flips)
		}
	}
}

// TestSearchKeepsToBudget ends in time, whatever takes long, and keeps what it has.
func TestSearchKeepsToBudget(t *testing.T) {
	const budget = 2 * time.Second
	for name, c := range map[string]struct {
		compile, run time.Duration
		late         time.Duration // one step of a search cannot be foreseen
		least        int
	}{
		"quick runs":    {0, 10 * time.Microsecond, 10 * time.Millisecond, 20},
		"slow compiler": {400 * time.Millisecond, 10 * time.Microsecond, 450 * time.Millisecond, 4},
		"slow runs":     {0, 30 * time.Millisecond, 300 * time.Millisecond, 1},
		"far too slow":  {0, 3 * time.Second, 9 * time.Second, 0},
	} {
		d := &track{compile: c.compile, cost: func(_ contest, way, _ int) time.Duration {
			return c.run + c.run*time.Duration(2-way)/10
		}}
		begin := d.clock
		trials := d.search(t, made(40, 3), budget)
		if took := d.clock.Sub(begin); took > budget+c.late {
			t.Errorf("%s: it took %v", name, took)
		}
		if len(trials) < c.least || len(trials) == 40 && name != "quick runs" {
			t.Errorf("%s: %d shapes were measured, want at least %d and not all", name, len(trials), c.least)
		}
		for i, trial := range trials {
			if trial.Shape != fmt.Sprint("shape ", i) || trial.Taken != "c" {
				t.Errorf("%s: trial %d is %+v", name, i, trial)
			}
		}
	}
}

// TestSearchLetsOthersIn: long runs are handed to the GPU one at a time, since browsers draw with
// it, and some systems take it away from who keeps it for two seconds. Of short ones many are.
func TestSearchLetsOthersIn(t *testing.T) {
	for _, run := range []time.Duration{100 * time.Microsecond, 4 * time.Millisecond, 60 * time.Millisecond} {
		d := &track{cost: func(_ contest, way, _ int) time.Duration { return run * time.Duration(10-way) / 10 }}
		if trials := d.search(t, made(1, 4), time.Hour); len(trials) != 1 || trials[0].Taken != "d" {
			t.Errorf("runs of %v: %+v", run, trials)
		}
		if d.longest > submitTime {
			t.Errorf("runs of %v: for %v nobody else was let in", run, d.longest)
		}
		if short := run < submitTime; (d.longest > 0) != short {
			t.Errorf("runs of %v: several at once took %v", run, d.longest)
		}
	}
}

// TestSearchDistrustsClock: a variant that ended before it began has not won.
func TestSearchDistrustsClock(t *testing.T) {
	for late := range 20 {
		d := &track{cost: func(_ contest, way, run int) time.Duration {
			if way == 1 && run >= late {
				return -time.Millisecond
			}
			return time.Millisecond
		}}
		for _, trial := range d.search(t, made(2, 3), time.Hour) {
			if trial.Taken != Usual {
				t.Errorf("clock that runs backwards after %d runs: %+v", late, trial)
			}
		}
		if len(d.set) != 2 {
			t.Errorf("the search ended after %v", d.set)
		}
	}
}

// TestSearchGoesOn past what fails, but not past a lost device.
func TestSearchGoesOn(t *testing.T) {
	d := &track{fail: fault.New(fault.OutOfMemory, "none left"), cost: func(contest, int, int) time.Duration { return time.Millisecond }}
	if trials := d.search(t, made(3, 2), time.Hour); len(trials) != 0 || len(d.set) != 3 {
		t.Errorf("%d trials of %v", len(trials), d.set)
	}
	d.fail, d.set = fault.New(fault.DeviceLost, "gone"), nil
	if _, err := search(t.Context(), made(3, 2), time.Hour, d.now, nil, d.course); !fault.Is(err, fault.DeviceLost) || len(d.set) != 1 {
		t.Errorf("%v after %v", err, d.set)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	d.fail, d.set = nil, nil
	if trials, err := search(stopped, made(3, 2), time.Hour, d.now, nil, d.course); err != nil || len(trials) != 0 || len(d.set) != 0 {
		t.Errorf("stopped before it began: %v, %d trials of %v", err, len(trials), d.set)
	}
}

// TestContests finds what there is to choose, what has most arithmetic first.
func TestContests(t *testing.T) {
	l, idle := shapesOf(), op.NewList("never run")
	l.MatMul(op.NewStorage("a", op.Fixed, op.F32, 96, 256), matrix(op.Q8_0, 1024, 256), op.Epilogue{Act: op.GELU})
	idle.MatMul(op.NewStorage("a", op.Fixed, op.F32, 32, 256), matrix(op.Q8_0, 1024, 256), op.Epilogue{})
	caps := PortableFloor
	caps.Choices = Choices{"MatMul 96×1024×256 Q8_0": "tile 128×128"} // of which nothing depends
	list := contests([]counted{{l, 3}, {idle, 0}}, caps)
	var names []string
	for _, c := range list {
		names = append(names, c.shape)
		for i, w := range c.ways {
			if (i == 0) != (w.variant == Usual) || len(w.steps) == 0 {
				t.Errorf("%s: way %d is %s in %d launches", c.shape, i, w.variant, len(w.steps))
			}
		}
	}
	if want := []string{"MatMul 96×1024×256 Q8_0", "Conv3x3 32×32, 64 to 64", "Attention 96×96, heads 4/4×64"}; !slices.Equal(names, want) {
		t.Fatalf("contests %q, want %q", names, want)
	}
	if got, want := list[0].all, 3*2*op.FLOPs(l.Nodes[0]); got != want {
		t.Errorf("%g of arithmetic in all, want %g", got, want)
	}
	// Four tiles, of which one is the usual one, and the kernel for few rows does not take 96.
	if n := len(list[0].ways); n != 4 {
		t.Errorf("%d ways of the product", n)
	}
}

// TestRoundingIsMeasured: variants that round operands are candidates where that is allowed, and
// nothing but a choice takes one.
func TestRoundingIsMeasured(t *testing.T) {
	l := shapesOf()
	exact := PortableFloor
	exact.F16, exact.Dot4 = true, true
	for bits, want := range map[int][]string{0: {}, 16: {"f16"}, 8: {"f16", "int8"}} {
		caps := exact
		caps.Bits = bits
		usual, err := lower(l, exact)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lower(l, caps)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].Kernel.key() != usual[i].Kernel.key() {
				t.Errorf("%d bits: usual is %s", bits, got[i].Kernel.File)
			}
		}
		for _, c := range contests([]counted{{l, 1}}, caps) {
			found := []string{}
			for _, w := range c.ways {
				if name, _, _ := strings.Cut(w.variant, " "); (name == "f16" || name == "int8") && !slices.Contains(found, name) {
					found = append(found, name)
				}
			}
			if slices.Sort(found); !slices.Equal(found, want) && !(bits == 8 && !strings.HasPrefix(c.shape, "MatMul")) {
				t.Errorf("%d bits: of %s are measured %v, want %v", bits, c.shape, found, want)
			}
		}
		caps.Choices = Choices{"MatMul 96×1024×256 Q8_0": "f16 32×32"}
		chosen, err := lower(l, caps)
		if err != nil {
			t.Fatal(err)
		}
		if half := slices.Contains(chosen[0].Kernel.Libs, "f16"); half != (bits != 0) {
			t.Errorf("%d bits: a choice of f16 is taken: %t", bits, half)
		}
	}
}
