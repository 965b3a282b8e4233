package gpu

import (
	"reflect"
	"slices"
	"syscall/js"
	"testing"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// TestTrials measures on the device: an addition takes less than forty of them, by either
// clock, and tensors that the launches name stay as they are. (Whether that is enough to be
// taken depends on what else this machine does: see TestSearchFinds.)
func TestTrials(t *testing.T) {
	d := open(t, Options{})
	l := op.NewList("sum")
	x, err := d.New("x", op.F32, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	y, err := d.New("y", op.F32, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	l.Add(x, y, x)
	steps, err := lower(l, d.caps)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]float32, 64*64)
	for i := range data {
		data[i] = float32(i)
	}
	for _, tensor := range []*op.Tensor{x, y} {
		if err := d.Write(tensor, data); err != nil {
			t.Fatal(err)
		}
	}
	long := way{variant: Usual}
	for range 40 {
		long.steps = append(long.steps, steps...)
	}
	list := []contest{{shape: "a sum", ways: []way{long, {"once", steps}}}, {shape: "another", ways: []way{{Usual, steps}, {"long", long.steps}}}}
	buffers := len(d.memory.owned)
	for _, clock := range []string{"timestamps", "wall clock"} {
		trials, err := search(soon(t), list, 30*time.Second, time.Now, nil, d.course)
		if err != nil || len(trials) != 2 || trials[0].Ms["once"] > trials[0].Ms[Usual] || trials[1].Ms[Usual] > trials[1].Ms["long"] || trials[1].Taken != Usual {
			t.Errorf("%s: %v, trials %+v", clock, err, trials)
		}
		for _, trial := range trials {
			for variant, ms := range trial.Ms {
				if ms <= 0 {
					t.Errorf("%s: %s took %g ms", clock, variant, ms)
				}
			}
		}
		d.info.Features = nil
	}
	if len(d.memory.owned) != buffers {
		t.Errorf("%d buffers, %d before", len(d.memory.owned), buffers)
	}
	if got, err := d.Read(soon(t), x); err != nil || !reflect.DeepEqual(got, data) {
		t.Errorf("what the launches name has changed (%v)", err)
	}
}

// aSum is the launches of a small operation.
func aSum(t *testing.T, d *Device) []step {
	t.Helper()
	l := op.NewList("sum")
	x, y := op.NewStorage("x", op.Fixed, op.F32, 64, 64), op.NewStorage("y", op.Fixed, op.F32, 64, 64)
	l.Add(x, y, x)
	steps, err := lower(l, d.caps)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

// TestTrialsByWallClock: where the GPU lends no clock, the time until the news of its work
// arrives is none of that work's.
func TestTrialsByWallClock(t *testing.T) {
	d := open(t, Options{})
	d.info.Features = nil
	js.Global().Call("eval", `(queue) => {
		const done = queue.onSubmittedWorkDone.bind(queue);
		queue.onSubmittedWorkDone = () => done().then(() => new Promise((late) => setTimeout(late, 8)));
	}`).Invoke(d.jsq)
	steps := aSum(t, d)
	long := way{variant: "long"}
	for range 40 {
		long.steps = append(long.steps, steps...)
	}
	trials, err := search(soon(t), []contest{{shape: "a sum", ways: []way{{Usual, steps}, long}}}, 30*time.Second, time.Now, nil, d.course)
	if err != nil || len(trials) != 1 || trials[0].Ms[Usual] > 4 || trials[0].Ms["long"] < 2*trials[0].Ms[Usual] {
		t.Errorf("%v, trials %+v", err, trials)
	}
}

// TestTrialsOfWhatCompiles: a variant that a driver's compiler refuses leaves the others in.
func TestTrialsOfWhatCompiles(t *testing.T) {
	d := open(t, Options{})
	steps := aSum(t, d)
	refused := steps[0]
	refused.Kernel.Prelude += "const TOO_MANY_REGISTERS: u32 = 1.5;\n"
	list := []contest{{shape: "a sum", ways: []way{{Usual, steps}, {"refused", []step{refused}}, {"twice", slices.Concat(steps, steps)}}}}
	trials, err := search(soon(t), list, 30*time.Second, time.Now, nil, d.course)
	if err != nil || len(trials) != 1 || len(trials[0].Ms) != 2 || trials[0].Ms["twice"] <= 0 || trials[0].Taken != Usual {
		t.Errorf("%v, trials %+v", err, trials)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Error(err)
	}
}

// TestTuneEndsInTime where compilers take longer than the budget.
func TestTuneEndsInTime(t *testing.T) {
	d := open(t, Options{Hardware: true})
	a, err := d.New("a", op.F32, 4, 64)
	if err != nil {
		t.Fatal(err)
	}
	w, err := d.Upload(soon(t), table("w", newPieces(counting(0, 96, 64)), 0, 96, 64))
	if err != nil {
		t.Fatal(err)
	}
	l := op.NewList("product")
	out := l.MatMul(a, w, op.Epilogue{})
	sum, err := d.New("sum", op.F32, 4, 96)
	if err != nil {
		t.Fatal(err)
	}
	l.Add(out, out, sum)
	p, err := d.Compile(soon(t), l)
	if err != nil {
		t.Fatal(err)
	}
	for runs := range 2 {
		const budget = 200 * time.Millisecond
		begin := time.Now()
		trials, of, err := d.Tune(soon(t), budget, nil)
		if took := time.Since(begin); err != nil || took > budget+300*time.Millisecond || of != runs || len(trials) > of {
			t.Errorf("after %d runs: %v after %v, %d trials of %d shapes", runs, err, took, len(trials), of)
		}
		if err := p.Run(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Error(err)
	}
	p.Close()
	if _, of, err := d.Tune(soon(t), time.Second, nil); of != 0 || err != nil {
		t.Errorf("%d shapes of closed programs, %v", of, err)
	}
	plan := d.Info().Plan
	d.Choose(Choices{"MatMul 4×96×64 F32": "tile 128×128"})
	if d.Info().Plan == plan {
		t.Error("the plan does not tell of the choice")
	}
	d.Choose(nil)
	if d.Info().Plan != plan {
		t.Error("the plan of no choice is another one")
	}
	d.Close()
	if _, _, err := d.Tune(soon(t), time.Second, nil); !fault.Is(err, fault.Closed) {
		t.Errorf("on a closed device: %v", err)
	}
}
