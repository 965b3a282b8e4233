package gpu

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Usual stands for the variant that is taken where nothing was measured.
const Usual = "usual"

// Trial is what a search found for one shape of an operation.
type Trial struct {
	Shape string             `json:"shape"`
	Taken string             `json:"taken"` // Usual unless another variant is clearly faster
	Ms    map[string]float64 `json:"ms"`    // of one run by variant; of a much slower one a first impression
}

// ChoicesOf are the variants that are not the usual ones.
func ChoicesOf(trials []Trial) Choices {
	c := Choices{}
	for _, t := range trials {
		if t.Taken != Usual {
			c[t.Shape] = t.Taken
		}
	}
	return c
}

// counted is a list and how often it was run.
type counted struct {
	list *op.List
	runs int
}

// contest is a shape of an operation that more than one variant takes.
type contest struct {
	shape string
	once  float64 // the arithmetic of one of them
	all   float64 // of all runs of all of them
	ways  []way   // the usual first
	// sample is how long a sample of runs is to take, at least three quarters of it; 0: lengthOfSample.
	sample time.Duration
}

type way struct {
	variant string
	steps   []step
}

// contests are those of lists that were run, what has most arithmetic first. Variants that
// come to the same launches are one.
func contests(lists []counted, c Caps) (out []contest) {
	c.Prefer, c.Choices = "", nil
	at := map[string]int{} // in out; −1: nothing to choose
	for _, l := range lists {
		for _, n := range l.list.Nodes {
			row := operations[n.Kind()]
			shape := row.shape(n)
			if shape == "" || l.runs == 0 {
				continue
			}
			i, known := at[shape]
			if !known {
				i = -1
				if ways := row.ways(n, c); len(ways) > 1 {
					i = len(out)
					out = append(out, contest{shape: shape, once: op.FLOPs(n), ways: ways})
				}
				at[shape] = i
			}
			if i >= 0 {
				out[i].all += op.FLOPs(n) * float64(l.runs)
			}
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return cmp.Or(cmp.Compare(out[j].all, out[i].all), cmp.Compare(out[i].shape, out[j].shape)) < 0
	})
	return out
}

// ways are the different launches that an operation's variants come to.
func (o operation) ways(n op.Node, c Caps) (out []way) {
	seen := map[string]bool{}
	for _, name := range append([]string{Usual}, o.offered(c)...) {
		c.Prefer = name // which the usual one is not called: none is preferred then
		launches, err := o.lower(n, c)
		if err != nil {
			continue
		}
		w, same := way{variant: name}, ""
		for _, l := range launches {
			err = cmp.Or(err, check(l, c))
			same += fmt.Sprintln(l.Kernel.key(), l.Groups)
			w.steps = append(w.steps, step{Launch: l})
		}
		if err == nil && !seen[same] {
			seen[same] = true
			out = append(out, w)
		}
	}
	return out
}

// How a search measures.
const (
	lengthOfSample = 2 * time.Millisecond  // browsers round the GPU's clock to 0.1 ms
	byWallClock    = 20 * time.Millisecond // some round their own to 1 ms, and the news of work comes late
	trips          = 5                     // to find out how late
	mostInSample   = 512                   // runs
	sizings        = 4                     // to find out how many of them, at most
	rounds         = 7                     // of samples, the variants in turns
	farSlower      = 1.5                   // times the fastest: it leaves before the rounds
	clearly        = 1.05                  // times the winner's median is the usual one's, at least
)

// course runs the ways of a contest, in the given order and each as often as runs tells,
// and says how long each took; results lie where runs does.
type course func(ctx context.Context, order, runs []int) ([]time.Duration, error)

// search measures contests that are not known one after the other until the budget is used up. set makes a
// contest's course, leaving out ways that cannot be run, and release gives up what that needed.
// A contest that fails, as where memory is short, is passed over. Errors: fault.DeviceLost.
func search(ctx context.Context, list []contest, budget time.Duration, now func() time.Time, known map[string]bool, set func(context.Context, *contest) (c course, release func(), err error)) (out []Trial, err error) {
	until := now().Add(budget)
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	for _, c := range list {
		if known[c.shape] {
			continue
		}
		if ctx.Err() != nil || !now().Before(until) {
			break
		}
		run, release, err := set(ctx, &c)
		if err == nil {
			var t *Trial
			if t, err = c.measure(ctx, run, func() time.Duration { return until.Sub(now()) }); t != nil {
				out = append(out, *t)
			}
		}
		release()
		if fault.Is(err, fault.DeviceLost) {
			return out, err
		}
	}
	return out, nil
}

// turns has a course run the ways of order, several in one call as far as those are short, which
// each tells of one run: what else waits for the GPU waits for a call. Errors: those of the
// course, fault.Internal for a clock that ran backwards.
func (run course) turns(ctx context.Context, order, runs []int, each []time.Duration) ([]time.Duration, error) {
	took := make([]time.Duration, len(runs))
	for len(order) > 0 {
		n, all := 0, time.Duration(0)
		for _, i := range order {
			if all += each[i] * time.Duration(runs[i]); n > 0 && all > submitTime {
				break
			}
			n++
		}
		part, err := run(ctx, order[:n], runs)
		if err != nil {
			return nil, err
		}
		for _, i := range order[:n] {
			if took[i] = part[i]; took[i] < 0 {
				return nil, fault.New(fault.Internal, "the GPU's clock ran backwards")
			}
		}
		order = order[n:]
	}
	return took, nil
}

// measure finds the fastest way of a contest; nil where the time that is left is too short.
// What beats the usual one has to do it again, the two of them alone.
func (c contest) measure(ctx context.Context, run course, left func() time.Duration) (*Trial, error) {
	order, runs := make([]int, len(c.ways)), make([]int, len(c.ways))
	each := make([]time.Duration, len(c.ways)) // of one run
	sample := cmp.Or(c.sample, lengthOfSample)
	for i := range order {
		if left() <= 0 {
			return nil, nil
		}
		order[i], runs[i] = i, 1
		took, err := run.turns(ctx, order[i:i+1], runs, each) // the first is slower
		if err != nil {
			return nil, err
		}
		each[i] = took[i]
	}
	for range sizings {
		if left() <= 0 {
			return nil, nil
		}
		took, err := run.turns(ctx, order, runs, each)
		if err != nil {
			return nil, err
		}
		short := false
		for i, t := range took {
			each[i] = max(t, 1) / time.Duration(runs[i])
			if t < sample*3/4 && runs[i] < mostInSample {
				runs[i] = min(mostInSample, 8*runs[i], 1+int(sample/max(each[i], 1)))
				short = true
			}
		}
		if !short {
			break
		}
	}
	fastest := slices.Min(each)
	order = order[:1]
	for i := range each[1:] {
		if float64(each[i+1]) <= farSlower*float64(fastest) {
			order = append(order, i+1)
		}
	}
	t := &Trial{c.shape, Usual, map[string]float64{}}
	for i, w := range c.ways {
		t.Ms[w.variant] = milliseconds(each[i])
	}
	winner := 0
	for len(order) > 1 {
		round := time.Duration(0)
		for _, i := range order {
			round += each[i] * time.Duration(runs[i])
		}
		samples := make([][]time.Duration, len(c.ways))
		for r := range rounds {
			if round*time.Duration(rounds-r) > left() {
				return nil, nil
			}
			took, err := run.turns(ctx, order, runs, each)
			if err != nil {
				return nil, err
			}
			for _, i := range order {
				samples[i] = append(samples[i], took[i]/time.Duration(runs[i]))
			}
			order = append(order[1:], order[0]) // nobody has always the same before it
		}
		first := verdict(samples)
		for _, i := range order {
			t.Ms[c.ways[i].variant] = milliseconds(samples[i][rounds/2])
		}
		if first == 0 || first == winner { // it has won twice
			t.Taken = c.ways[first].variant
			break
		}
		winner, order = first, []int{0, first}
	}
	return t, nil
}

// verdict sorts the samples and finds the way with the least median, if that is clearly
// less than the first one's and all but one sample of it are less than all but one of those.
func verdict(samples [][]time.Duration) (winner int) {
	const middle, second, last = rounds / 2, 1, rounds - 2
	for i, s := range samples {
		sort.Slice(s, func(a, b int) bool { return s[a] < s[b] })
		if len(s) == rounds && s[middle] < samples[winner][middle] {
			winner = i
		}
	}
	w, usual := samples[winner], samples[0]
	if float64(usual[middle]) > clearly*float64(w[middle]) && w[last] < usual[second] {
		return winner
	}
	return 0
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
