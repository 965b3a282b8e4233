package engine

import (
	"context"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Cost is what a program takes: floating-point operations, operations (about as
// many kernel launches) and the most bytes of temporaries alive at once.
type Cost struct {
	FLOPs      float64 `json:"flops"`
	Operations int     `json:"operations"`
	TempBytes  int64   `json:"tempBytes"`
}

// Estimate is what a picture takes on any machine, counted from the recorded lists.
type Estimate struct {
	Text       Cost `json:"text"`       // one prompt, its ψ included
	Times      Cost `json:"times"`      // τ of all steps
	Modulation Cost `json:"modulation"` // of all steps
	Step       Cost `json:"step"`
	Decode     Cost `json:"decode"`

	WeightBytes   int64 `json:"weightBytes"`   // of all files, on the device about the same
	FixedBytes    int64 `json:"fixedBytes"`    // tensors that live as long as the pipeline
	PeakBytes     int64 `json:"peakBytes"`     // weights, fixed tensors, and the largest program's temporaries
	LargestTensor int64 `json:"largestTensor"` // bytes of the largest tensor that is not a weight
	LargestWeight int64 `json:"largestWeight"` // elements of the largest weight
}

// FLOPs is the arithmetic of a picture of so many steps with so many prompts to
// encode (that of the picture, and two for each direction).
func (e Estimate) FLOPs(steps, prompts int) float64 {
	return float64(prompts)*e.Text.FLOPs + e.Times.FLOPs + e.Modulation.FLOPs + float64(steps)*e.Step.FLOPs + e.Decode.FLOPs
}

// EstimateModel records everything that a picture of the request's size, steps and
// guidance scale needs, without weights, machine or memory. Errors: ModelUnsupported,
// ManifestInvalid, and what the request is refused for.
func EstimateModel(m *weights.Manifest, req Request) (Estimate, error) {
	_, estimate, err := plan(m, req)
	return estimate, err
}

// plan records the request's programs on a counter, and returns the engine that it
// recorded them of beside what they take.
func plan(m *weights.Manifest, req Request) (*Engine, Estimate, error) {
	be := &counter{programs: map[string]Cost{}}
	e := &Engine{be: be, manifest: *m}
	readers, err := e.record(m.Components, be)
	if err != nil {
		return nil, Estimate{}, err
	}
	reading, err := e.fit(readers)
	if err != nil {
		return nil, Estimate{}, err
	}
	if err := req.Check(e.limits()); err != nil {
		return nil, Estimate{}, err
	}
	ctx := context.Background()
	if e.conditioner, err = newConditioner(ctx, be, readers, e.transformer, reading, req.Steps); err != nil {
		return nil, Estimate{}, err
	}
	branches, scale := e.branches(req)
	p, err := e.pipeline(ctx, req.Size)
	if err != nil {
		return nil, Estimate{}, err
	}
	if _, err := p.step(ctx, float32(scale)); err != nil {
		return nil, Estimate{}, err
	}
	if _, err := e.modulate(ctx, req.Steps*branches, branches); err != nil {
		return nil, Estimate{}, err
	}
	return e, be.estimate(m), nil
}

// record makes the networks of descriptions of weights.
func (e *Engine) record(components []weights.Component, w op.Weights) (readers []*reader, err error) {
	for _, c := range components {
		switch c.Role {
		case weights.RoleText:
			var encoder TextEncoder
			if encoder, err = build(textEncoders, c, w); err == nil {
				readers = append(readers, &reader{name: c.Name, encoder: encoder})
			}
		case weights.RoleTransformer:
			e.transformer, err = build(transformers, c, w)
		case weights.RoleDecoder:
			e.decoder, err = build(decoders, c, w)
		}
		if err != nil {
			return nil, err
		}
	}
	return readers, nil
}

// counter is a Backend and a source of weights that describes tensors without
// memory, and counts what programs take instead of running them.
type counter struct {
	programs      map[string]Cost // by the list's name
	fixed         int64
	largest       int64
	largestWeight int64
}

func (c *counter) Has(name string) bool { return true }

func (c *counter) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	c.largestWeight = max(c.largestWeight, int64(rows)*int64(cols))
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (c *counter) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (c *counter) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t := op.NewStorage(name, op.Fixed, dt, rows, cols)
	c.fixed += t.Storage.Bytes()
	c.largest = max(c.largest, t.Storage.Bytes())
	return t, nil
}

func (c *counter) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	if err := l.Err(); err != nil {
		return nil, err
	}
	temps, largest := l.TempBytes()
	cost := Cost{Operations: len(l.Nodes), TempBytes: temps}
	for _, n := range l.Nodes {
		cost.FLOPs += op.FLOPs(n)
	}
	c.largest = max(c.largest, largest)
	c.programs[l.Name] = cost
	return nil, nil
}

func (c *counter) estimate(m *weights.Manifest) Estimate {
	text, psi := c.programs["text"], c.programs["psi"]
	text.FLOPs += psi.FLOPs / psiBatch
	text.Operations += psi.Operations
	e := Estimate{Text: text, Times: c.programs["tau"], Modulation: c.programs["modulation"], Step: c.programs["step"], Decode: c.programs["decode"],
		WeightBytes: m.Bytes(), FixedBytes: c.fixed, LargestTensor: c.largest, LargestWeight: c.largestWeight}
	var temps int64
	for _, p := range c.programs {
		temps = max(temps, p.TempBytes)
	}
	e.PeakBytes = e.WeightBytes + e.FixedBytes + temps
	return e
}

func (c *counter) Info() op.Info { return op.Info{Backend: "none"} }

func (c *counter) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	return c.Get(w.Name, w.Use, w.Rows, w.Cols), nil
}

func (c *counter) Write(t *op.Tensor, data []float32) error   { return nil }
func (c *counter) WriteU32(t *op.Tensor, data []uint32) error { return nil }

func (c *counter) Read(ctx context.Context, t *op.Tensor) ([]float32, error) {
	return nil, fault.New(fault.Internal, "an estimate has no numbers")
}

func (c *counter) ReadU32(ctx context.Context, t *op.Tensor) ([]uint32, error) {
	return nil, fault.New(fault.Internal, "an estimate has no numbers")
}

func (c *counter) Sync(ctx context.Context) error { return nil }
func (c *counter) Lost() <-chan struct{}          { return nil }
func (c *counter) Free(ts ...*op.Tensor)          {}
func (c *counter) Close()                         {}
