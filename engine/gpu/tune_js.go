package gpu

import (
	"context"
	"slices"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// largestTrial is how many bytes of temporaries a search may have.
const largestTrial = 128 << 20

// Choose has programs compiled from now on take the variants that a search found.
func (d *Device) Choose(c Choices) {
	d.caps.Choices = c
	d.info.Plan = planID(d.caps)
}

// Tune measures, for the shapes of all programs that have been run, which of the variants
// that take them is the fastest here, for no longer than the budget, and returns what it
// found behind what is known already. It changes nothing: see Choose. Programs' tensors
// stay as they are. What ctx or the budget leave out is not among the trials; of tells how
// many shapes there are. Errors: fault.DeviceLost.
func (d *Device) Tune(ctx context.Context, budget time.Duration, known []Trial) (trials []Trial, of int, err error) {
	defer d.guard(&err)
	if err := d.ready(ctx); err != nil {
		return known, 0, err
	}
	if err := d.idle(ctx); err != nil {
		return known, 0, err
	}
	var lists []counted
	for p := range d.programs { // contests have an order of their own
		lists = append(lists, counted{p.list, p.runs})
	}
	all := contests(lists, d.caps)
	measured := map[string]bool{}
	for _, t := range known {
		measured[t.Shape] = true
	}
	trials, err = search(ctx, all, budget, time.Now, measured, d.course)
	return append(known, trials...), len(all), err
}

// compiled are those of ways whose kernels the browser and its driver take.
func (d *Device) compiled(ctx context.Context, ways []way) (out []way, err error) {
	var all []Launch
	for _, w := range ways {
		for _, s := range w.steps {
			all = append(all, s.Launch)
		}
	}
	_, _ = d.prepare(ctx, all) // side by side; what is refused is found out below
	for _, w := range ways {
		n := len(w.steps)
		if _, err := d.prepare(ctx, all[:n]); err == nil {
			out = append(out, w)
		} else if !fault.Is(err, fault.ShaderCompile) {
			return nil, err
		}
		all = all[n:]
	}
	return out, nil
}

// course makes the programs of a contest. The clock is the GPU's where it lends it.
func (d *Device) course(ctx context.Context, c *contest) (run course, release func(), err error) {
	defer d.guard(&err)
	p := &Program{d: d, name: "trials of " + c.shape}
	release = p.Close
	if c.once > launchSubmits*d.submit {
		return nil, p.Close, fault.New(fault.LimitExceeded, "%s is cut into several launches", c.shape)
	}
	if c.ways, err = d.compiled(ctx, c.ways); err != nil {
		return nil, p.Close, err
	}
	copies := map[*op.Storage]*op.Storage{}
	ends := make([]int, len(c.ways)) // in the program's launches
	for i, w := range c.ways {
		for _, s := range w.steps {
			s.Bind = temporary(s.Bind, copies)
			p.steps = append(p.steps, s)
		}
		ends[i] = len(p.steps)
	}
	p.arena = planArena(p.steps)
	if p.arena.bytes() > largestTrial {
		return nil, p.Close, outOfMemory(p.name, p.arena.bytes())
	}
	if err := p.build(ctx); err != nil {
		return nil, p.Close, err
	}
	groups, stamps := p.js.Get("groups"), slices.Contains(d.info.Features, "timestamp-query")
	trip := byWallClock // until the news of no work at all, at most
	for i := 0; !stamps && i < trips; i++ {
		took, err := d.wall(ctx, p.js, 0, 0)
		if err != nil {
			return nil, p.Close, err
		}
		trip, c.sample = min(trip, took), byWallClock
	}
	return func(ctx context.Context, order, runs []int) ([]time.Duration, error) {
		var words []uint32
		passes := make([]any, len(order))
		for i, at := range order {
			from := 0
			if at > 0 {
				from = ends[at-1]
			}
			for range runs[at] {
				words = append(words, p.cmd.words[from*recordWords:ends[at]*recordWords]...)
			}
			passes[i] = len(words) / recordWords
		}
		return d.timed(ctx, d.replay.Call("program", jsWords(words), groups), passes, order, len(runs), stamps, trip)
	}, p.Close, nil
}

// wall is the time from the submit of some launches until the news that they are done.
func (d *Device) wall(ctx context.Context, program js.Value, from, to int) (time.Duration, error) {
	begin := time.Now()
	d.replay.Call("run", program, from, to)
	_, err := d.await(ctx, d.jsq.Call("onSubmittedWorkDone"))
	return time.Since(begin), err
}

// timed runs passes, which are given by their ends, and puts the time of each where order says: by
// stamps, or by the wall clock without the trip of an empty submit.
func (d *Device) timed(ctx context.Context, program js.Value, ends []any, order []int, n int, stamps bool, trip time.Duration) (_ []time.Duration, err error) {
	defer d.guard(&err)
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	took := make([]time.Duration, n)
	if stamps {
		times, err := d.await(ctx, d.replay.Call("profile", program, js.ValueOf(ends)))
		if err != nil {
			return nil, err
		}
		for i, at := range order {
			took[at] = time.Duration(times.Index(i).Float())
		}
		return took, d.ready(ctx)
	}
	from := 0
	for i, at := range order {
		to := ends[i].(int)
		all, err := d.wall(ctx, program, from, to)
		if err != nil {
			return nil, err
		}
		took[at], from = max(0, all-trip), to
	}
	return took, d.ready(ctx)
}

// temporary has bindings name temporaries in place of everything but weights.
func temporary(bindings []Binding, copies map[*op.Storage]*op.Storage) []Binding {
	out := slices.Clone(bindings)
	for i, b := range out {
		if b.Storage.Class == op.Weight {
			continue
		}
		if copies[b.Storage] == nil {
			s := *b.Storage
			s.Class, s.Handle = op.Temp, nil
			copies[b.Storage] = &s
		}
		out[i].Storage = copies[b.Storage]
	}
	return out
}
