package networks

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// frail is a machine that runs out of memory on demand, keeps count of what it was
// asked for, and lets a test in before each step of a picture.
type frail struct {
	op.Backend
	left   int                    // allocations until memory is short; negative: it never is
	met    bool                   // memory was short
	always bool                   // it stays short
	live   map[*op.Storage]bool   // Fixed tensors and weights that exist
	runs   map[*frailProgram]bool // programs that exist
	mods   *op.Tensor             // the modulation of all steps
	before func(mods *op.Tensor)  // called before each step, if not nil
}

func newFrail(be op.Backend) *frail {
	return &frail{Backend: be, left: -1, live: map[*op.Storage]bool{}, runs: map[*frailProgram]bool{}}
}

func (f *frail) short(what string) error {
	if f.left < 0 {
		return nil
	}
	if f.left > 0 {
		f.left--
		return nil
	}
	f.met = true
	if !f.always {
		f.left = -1
	}
	return fault.New(fault.OutOfMemory, "no memory for %s", what)
}

func (f *frail) keep(t *op.Tensor, err error) (*op.Tensor, error) {
	if err == nil {
		f.live[t.Storage] = true
	}
	return t, err
}

func (f *frail) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	if err := f.short(name); err != nil {
		return nil, err
	}
	t, err := f.keep(f.Backend.New(name, dt, rows, cols))
	if name == "modulation" {
		f.mods = t
	}
	return t, err
}

func (f *frail) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	if err := f.short(w.Name); err != nil {
		return nil, err
	}
	return f.keep(f.Backend.Upload(ctx, w))
}

func (f *frail) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	if err := f.short(l.Name); err != nil {
		return nil, err
	}
	p, err := f.Backend.Compile(ctx, l)
	if err != nil {
		return nil, err
	}
	made := &frailProgram{p, f, l.Name}
	f.runs[made] = true
	return made, nil
}

func (f *frail) Free(ts ...*op.Tensor) {
	for _, t := range ts {
		if t != nil {
			delete(f.live, t.Storage)
		}
	}
	f.Backend.Free(ts...)
}

// count tells what exists besides weights.
func (f *frail) count() string {
	names := map[string]int{}
	for s := range f.live {
		if s.Class == op.Fixed {
			names[s.Name]++
		}
	}
	for p := range f.runs {
		names["program "+p.name]++
	}
	var all []string
	for _, n := range slices.Sorted(maps.Keys(names)) {
		all = append(all, fmt.Sprintf("%d %s", names[n], n))
	}
	return strings.Join(all, ", ")
}

type frailProgram struct {
	op.Program
	f    *frail
	name string
}

func (p *frailProgram) Run(ctx context.Context, copies ...op.Copy) error {
	if p.name == "step" && p.f.before != nil {
		p.f.before(p.f.mods)
	}
	return p.Program.Run(ctx, copies...)
}

func (p *frailProgram) Close() {
	delete(p.f.runs, p)
	p.Program.Close()
}

// shortOfMemory lets every allocation of a picture fail in its turn, or, where a machine
// takes long for a picture, the first ones and a sample of the others. Once is survived, with the same picture; if the memory stays short, the fault says so.
// Whatever happened, nothing more is kept afterwards than without trouble.
func shortOfMemory(t *testing.T, be op.Backend, every bool) {
	f := newFrail(be)
	e := newFixture(t).load(f)
	defer f.release()
	want := picture(t, e, frog)
	other := frog
	other.Prompt, other.Size = "the cat", recipe.Size{Width: 24, Height: 16}
	wantOther := picture(t, e, other)

	// From here on the engine is short of memory, and keeps less.
	f.left = 0
	again := frog
	again.Steps = 3
	picture(t, e, again)
	if !same(wantOther, picture(t, e, other)) || !same(want, picture(t, e, frog)) {
		t.Error("short of memory, other pictures are made")
	}
	kept := f.count()
	for _, always := range []bool{false, true} {
		fails := 0
		for n, sample := 0, 0; ; n += 1 + sample {
			if !every {
				sample = n / 6
			}
			picture(t, e, frog)
			f.left, f.always, f.met = n, always, false
			got, err := e.Generate(background(), other, nil)
			f.left = -1
			if !f.met {
				break // n is more than a picture asks for
			}
			fails++
			switch {
			case always && !fault.Is(err, fault.OutOfMemory):
				t.Errorf("memory short from allocation %d on: %v", n, err)
			case !always && err != nil:
				t.Errorf("memory short at allocation %d: %v", n, err)
			case !always && !same(got, wantOther):
				t.Errorf("memory short at allocation %d: another picture", n)
			}
			if !same(wantOther, picture(t, e, other)) || !same(want, picture(t, e, frog)) {
				t.Errorf("after allocation %d: another picture", n)
			}
			if always && n == 0 { // from here on programs and weights leave, which come back when they are needed
				kept = f.count()
			}
			if now := f.count(); now != kept {
				t.Errorf("after allocation %d there is %s, there was %s", n, now, kept)
			}
		}
		if fails < 10 || every && fails < 15 {
			t.Errorf("a picture asked for memory %d times", fails)
		}
	}
}

// release frees what a test has left on a machine that others use.
func (f *frail) release() {
	for p := range f.runs {
		p.Close()
	}
	for s := range f.live {
		f.Backend.Free(&op.Tensor{Storage: s})
	}
}

// notNumbers plants a NaN in every block's modulation before the second step, and
// makes a decoder that overflows. The step that meets the NaN must say so.
func notNumbers(t *testing.T, be op.Backend) {
	f := newFrail(be)
	e := newFixture(t).load(f)
	defer f.release()
	req := frog
	req.Steps = 4
	want := picture(t, e, req)
	nan := make([]float32, 4)
	for i := range nan {
		nan[i] = float32(math.NaN())
	}
	width, planted := f.mods.Cols, 0
	for at := 0; at < width; at += width / 24 / 4 * 4 {
		for _, watch := range []bool{true, false} {
			step, events := 0, 0
			f.before = func(mods *op.Tensor) {
				if step++; step == 2 {
					if err := f.Write(mods.Slice(1, 2).Columns(at, at+4), nan); err != nil {
						t.Fatal(err)
					}
				}
			}
			onStep := func(engine.StepEvent) { events++ }
			if !watch {
				onStep = nil
			}
			_, err := e.Generate(background(), req, onStep)
			if !fault.Is(err, fault.NotFinite) {
				t.Errorf("a NaN in column %d of %d gave %v", at, width, err)
			}
			if watch && (step != 2 || events != 1 || !strings.Contains(err.Error(), "step 2 of 4")) {
				t.Errorf("a NaN in column %d of %d was met after %d steps and %d events: %v", at, width, step, events, err)
			}
			planted++
		}
	}
	t.Logf("%d NaN met", planted)
	f.before = nil
	if !same(want, picture(t, e, req)) {
		t.Error("another picture afterwards")
	}

	huge := newFixture(t)
	for _, x := range huge.tensors["vae"] {
		for i := range x.data {
			x.data[i] *= 1e12
		}
	}
	if _, err := huge.load(be).Generate(background(), frog, nil); !fault.Is(err, fault.NotFinite) || !strings.Contains(err.Error(), "of the picture's 256 pixels") {
		t.Errorf("a decoder out of range: %v, want the fault %s", err, fault.NotFinite)
	}
}
