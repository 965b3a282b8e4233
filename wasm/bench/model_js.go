package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sort"
	"syscall/js"
	"time"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/cpu/simd"
	"undertone/engine/gpu"
	"undertone/engine/op"
	stored "undertone/engine/weights"
)

// files are those of a model, by path.
type files map[string][]byte

// Open finds one.
func (f files) Open(_ context.Context, path string) (op.Source, error) {
	data, ok := f[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return bytes.NewReader(data), nil
}

// setFiles takes {path: Uint8Array} of a folder with a model.json.
func (b *bench) setFiles(_ context.Context, arg js.Value) (any, error) {
	b.files = files{}
	names := js.Global().Get("Object").Call("keys", arg)
	total := 0
	for i := range names.Length() {
		name := names.Index(i).String()
		data := make([]byte, arg.Get(name).Length())
		total += js.CopyBytesToGo(data, arg.Get(name))
		b.files[name] = data
	}
	return map[string]any{"bytes": total}, nil
}

// model is the shipped model on one machine.
type model struct {
	engine   *engine.Engine
	device   *gpu.Device // nil on the CPU
	programs map[string]*gpu.Program
}

// tapped remembers the last program of each name.
type tapped struct {
	op.Backend
	m *model
}

func (t tapped) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	p, err := t.Backend.Compile(ctx, l)
	if g, ok := p.(*gpu.Program); ok && err == nil {
		t.m.programs[l.Name] = g
	}
	return p, err
}

// load opens a machine and brings the model onto it: {name, device: "webgpu" or "cpu",
// choices: as tune found them} and what is asked of a device.
func (b *bench) load(ctx context.Context, arg js.Value) (any, error) {
	var o struct {
		machine
		Name, Device string
		Choices      gpu.Choices
	}
	if err := decode(arg, &o); err != nil {
		return nil, err
	}
	if old := b.models[o.Name]; old != nil {
		old.engine.Close()
		delete(b.models, o.Name)
	}
	bundle, err := stored.LoadBundle(ctx, b.files, "model.json")
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	m := &model{programs: map[string]*gpu.Program{}}
	var be op.Backend
	if o.Device == "cpu" {
		be = cpu.New(cpu.Options{Yield: func() { time.Sleep(time.Millisecond) }, SIMD: simd.Load()})
	} else {
		if m.device, err = o.open(ctx); err != nil {
			return nil, err
		}
		m.device.Choose(o.Choices)
		be = tapped{m.device, m}
	}
	if m.engine, err = engine.Load(ctx, be, bundle, engine.LoadOptions{}); err != nil {
		be.Close()
		return nil, err
	}
	b.models[o.Name] = m
	return map[string]any{"loadMs": ms(time.Since(begin)), "info": m.engine.Info(), "bytes": m.bytes()}, nil
}

// tune searches for the fastest variants of what a model has run: {name, budgetMs}.
func (b *bench) tune(ctx context.Context, arg js.Value) (any, error) {
	var o struct {
		Name     string
		BudgetMs float64
	}
	if err := decode(arg, &o); err != nil {
		return nil, err
	}
	m := b.models[o.Name]
	if m == nil || m.device == nil {
		return nil, fmt.Errorf("no model %q is on a GPU", o.Name)
	}
	begin := time.Now()
	trials, of, err := m.device.Tune(ctx, time.Duration(o.BudgetMs*1e6), []gpu.Trial{}) // none is a list, too
	return map[string]any{"trials": trials, "shapes": of, "ms": ms(time.Since(begin)), "choices": gpu.ChoicesOf(trials)}, err
}

// bytes is what the device holds.
func (m *model) bytes() int64 {
	if m.device == nil {
		return 0
	}
	_, n := m.device.Buffers()
	return n
}

// asked is a picture on one of the loaded models.
type asked struct {
	Name, Prompt string
	Seed         *uint32
	Weight       *float64 // of the model's first direction; nil: no direction
	Parts        bool     // each part is waited for
	Seconds      float64  // of live
}

// request is the model's own with what was asked for.
func (a asked) request(e *engine.Engine) engine.Request {
	r := e.Defaults()
	if a.Prompt != "" {
		r.Prompt = a.Prompt
	}
	if a.Seed != nil {
		r.Seed = *a.Seed
	}
	if presets := e.Info().Presets; a.Weight != nil && len(presets) > 0 {
		p := presets[0]
		t := engine.Term{Positive: p.Positive, Negative: p.Negative, Weight: *a.Weight, Head: p.Head}
		t.Schedule.Kind = "constant"
		r.Guidance = []engine.Term{t}
	}
	return r
}

func (b *bench) find(arg js.Value) (*model, asked, error) {
	var a asked
	if err := decode(arg, &a); err != nil {
		return nil, a, err
	}
	m := b.models[a.Name]
	if m == nil {
		return nil, a, fmt.Errorf("no model %q is loaded", a.Name)
	}
	return m, a, nil
}

// picture makes one.
func (b *bench) picture(ctx context.Context, arg js.Value) (any, error) {
	m, a, err := b.find(arg)
	if err != nil {
		return nil, err
	}
	var onStep func(engine.StepEvent)
	if a.Parts {
		onStep = func(engine.StepEvent) {}
	}
	begin := time.Now()
	r, err := m.engine.Generate(ctx, a.request(m.engine), onStep)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"wallMs": ms(time.Since(begin)), "timings": r.Timings, "dispatches": r.Dispatches, "bytes": m.bytes(), "width": r.Image.W, "height": r.Image.H}
	return out, nil
}

// compare tells how two machines' pictures of one request differ: {a, b: asked}, or {a:
// asked, pixels: bytes of RGBA}.
func (b *bench) compare(ctx context.Context, arg js.Value) (any, error) {
	var pictures [2][]byte
	names := []string{"a", "b"}
	if pixels := arg.Get("pixels"); pixels.Truthy() {
		names = names[:1]
		pictures[1] = make([]byte, pixels.Length())
		js.CopyBytesToGo(pictures[1], pixels)
	}
	for i, name := range names {
		m, a, err := b.find(arg.Get(name))
		if err != nil {
			return nil, err
		}
		r, err := m.engine.Generate(ctx, a.request(m.engine), nil)
		if err != nil {
			return nil, err
		}
		pictures[i] = r.Image.RGBA
	}
	if len(pictures[0]) != len(pictures[1]) {
		return nil, fmt.Errorf("pictures of %d and %d bytes", len(pictures[0]), len(pictures[1]))
	}
	return map[string]any{"psnr": psnr(pictures[0], pictures[1]), "same": bytes.Equal(pictures[0], pictures[1])}, nil
}

// psnr of the colours in dB; equal pictures have 99.
func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		if i%4 == 3 {
			continue // opaque in both
		}
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	if sum == 0 {
		return 99
	}
	return 10 * math.Log10(255*255/(sum/float64(len(a)/4*3)))
}

// live makes pictures one after the other for some seconds while a slider moves, as the
// page does.
func (b *bench) live(ctx context.Context, arg js.Value) (any, error) {
	m, a, err := b.find(arg)
	if err != nil {
		return nil, err
	}
	var took []float64
	begin := time.Now()
	for i := 0; i == 0 || time.Since(begin).Seconds() < a.Seconds; i++ {
		weight := 3 * math.Sin(0.3*float64(i+1))
		a.Weight = &weight
		start := time.Now()
		if _, err := m.engine.Generate(ctx, a.request(m.engine), nil); err != nil {
			return nil, err
		}
		took = append(took, ms(time.Since(start)))
	}
	seconds := time.Since(begin).Seconds()
	sort.Float64s(took)
	return map[string]any{"pictures": len(took), "perSecond": float64(len(took)) / seconds, "medianMs": took[len(took)/2], "p95Ms": took[len(took)*95/100]}, nil
}

// share is what launches of one kernel took together.
type share struct {
	Program, Op, Kernel string
	Launches            int
	Ms, GFLOP           float64
}

// profile takes the programs of a picture apart by kernel, with timestamps.
func (b *bench) profile(ctx context.Context, arg js.Value) (any, error) {
	m, _, err := b.find(arg)
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range m.programs {
		names = append(names, name)
	}
	slices.Sort(names)
	shares := []*share{}
	for _, name := range names {
		timings, err := m.programs[name].Profile(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range timings {
			i := slices.IndexFunc(shares, func(s *share) bool {
				return s.Program == name && s.Op == t.Kind.String() && s.Kernel == t.Kernel
			})
			if i < 0 {
				i = len(shares)
				shares = append(shares, &share{Program: name, Op: t.Kind.String(), Kernel: t.Kernel})
			}
			shares[i].Launches++
			shares[i].Ms += ms(t.Time)
			shares[i].GFLOP += t.Flops / 1e9
		}
	}
	return shares, nil
}
