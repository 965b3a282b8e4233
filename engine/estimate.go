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
	Reference  Cost `json:"reference"` // reading the reference picture, where there is one

	WeightBytes   int64 `json:"weightBytes"`   // of all files that the picture needs, on the device about the same
	FixedBytes    int64 `json:"fixedBytes"`    // tensors that live as long as the pipeline
	PeakBytes     int64 `json:"peakBytes"`     // weights, fixed tensors, and the largest program's temporaries
	LeastBytes    int64 `json:"leastBytes"`    // the same where only the running program's weights are on the device
	LargestTensor int64 `json:"largestTensor"` // bytes of the largest tensor that is not a weight: one buffer, bound whole
	LargestWeight int64 `json:"largestWeight"` // elements of the largest weight

	Parts []PartEstimate `json:"parts"` // in the order of the manifest's components
}

// PartEstimate is what one component takes.
type PartEstimate struct {
	Name         string `json:"name"`         // of its weight file
	DiskBytes    int64  `json:"diskBytes"`    // of its files, a tokenizer counted with the first encoder that has it
	DeviceBytes  int64  `json:"deviceBytes"`  // of its weights on the device, which keeps them in the types of the file
	PeakBytes    int64  `json:"peakBytes"`    // most of its weights that one program reads, and that program's temporaries
	LargestBytes int64  `json:"largestBytes"` // of its largest weight, which is one binding where the device allows it
}

// FLOPs is the arithmetic of a picture of so many steps with so many prompts to
// encode (that of the picture, and two for each direction).
func (e Estimate) FLOPs(steps, prompts int) float64 {
	return float64(prompts)*e.Text.FLOPs + e.Times.FLOPs + e.Modulation.FLOPs + float64(steps)*e.Step.FLOPs + e.Decode.FLOPs + e.Reference.FLOPs
}

// EstimateModel records everything that a picture of the request's size, steps and
// guidance scale needs, without weights, machine or memory, as for a machine of these limits
// (op.Info.Limits; nil: of none). Errors: ModelUnsupported, ManifestInvalid, and what the
// request is refused for.
func EstimateModel(m *weights.Manifest, req Request, limits map[string]int64) (Estimate, error) {
	_, estimate, err := plan(m, req, limits)
	return estimate, err
}

// plan records the request's programs on a counter, as for a device of these limits, and
// returns the engine that it recorded them of beside what they take.
func plan(m *weights.Manifest, req Request, limits map[string]int64) (*Engine, Estimate, error) {
	be := newCounter(m)
	be.limits = limits
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
	p, err := e.pipeline(ctx, req.Size, req.Reference != nil)
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
func (e *Engine) record(components []weights.Component, be *counter) (readers []*reader, err error) {
	for i, c := range components {
		w := counted{be, i}
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
		case weights.RoleEncoder:
			e.encoder, err = build(encoders, c, w)
		}
		if err != nil {
			return nil, err
		}
	}
	return readers, nil
}

// counter is a Backend that describes tensors without memory, and counts what programs
// take instead of running them.
type counter struct {
	limits        map[string]int64 // of the device, where there is one: op.Info
	programs      map[string]Cost  // by the list's name
	fixed         int64
	largest       int64
	largestWeight int64
	owner         map[*op.Storage]int // the number of the component that a weight belongs to
	parts         []elements          // of weights, by component
	reads         map[string][]int64  // elements of weights that a program reads, by component
}

func newCounter(m *weights.Manifest) *counter {
	return &counter{programs: map[string]Cost{}, owner: map[*op.Storage]int{}, reads: map[string][]int64{}, parts: make([]elements, len(m.Components))}
}

// elements counts those of weights.
type elements struct{ all, largest int64 }

// counted is the source of one component's weights.
type counted struct {
	*counter
	part int
}

func (c counted) Has(name string) bool { return true }

func (c counted) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	n := int64(rows) * int64(cols)
	p := &c.parts[c.part]
	p.all, p.largest = p.all+n, max(p.largest, n)
	c.largestWeight = max(c.largestWeight, n)
	t := op.NewStorage(name, op.Weight, op.F32, rows, cols)
	c.owner[t.Storage] = c.part
	return t
}

func (c counted) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
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
	c.reads[l.Name] = c.read(l)
	return nil, nil
}

// read counts the elements of the weights that a list reads, by component.
func (c *counter) read(l *op.List) []int64 {
	n, seen := make([]int64, len(c.parts)), map[*op.Storage]bool{}
	for _, node := range l.Nodes {
		for _, t := range node.Inputs() {
			if t == nil || seen[t.Storage] {
				continue
			}
			seen[t.Storage] = true
			if part, ok := c.owner[t.Storage]; ok {
				n[part] += int64(t.Storage.Elems)
			}
		}
	}
	return n
}

// estimateParts tells of each component, and what the running program's weights and
// temporaries take at most.
func (c *counter) estimateParts(m *weights.Manifest) (parts []PartEstimate, most int64) {
	together := map[string]int64{}
	for name, cost := range c.programs {
		together[name] = cost.TempBytes
	}
	told := map[string]bool{}
	for i, component := range m.Components {
		onDisk := m.ComponentBytes(component)
		p := PartEstimate{Name: component.File, DiskBytes: onDisk}
		for _, name := range component.Tokenizer {
			if t, ok := m.File(name); ok && !told[t.Name] {
				told[t.Name] = true
				p.DiskBytes += t.Bytes
			}
		}
		// Of the types in the file nothing is known but how many bytes an element takes on average.
		bytes := func(elems int64) int64 {
			return int64(float64(elems) * float64(onDisk) / float64(max(component.Parameters, c.parts[i].all, 1)))
		}
		p.DeviceBytes, p.LargestBytes = bytes(c.parts[i].all), bytes(c.parts[i].largest)
		for name, reads := range c.reads {
			if reads[i] > 0 {
				p.PeakBytes = max(p.PeakBytes, bytes(reads[i])+c.programs[name].TempBytes)
				together[name] += bytes(reads[i])
			}
		}
		parts = append(parts, p)
	}
	for _, n := range together {
		most = max(most, n)
	}
	return parts, most
}

func (c *counter) estimate(m *weights.Manifest) Estimate {
	text, psi := c.programs["text"], c.programs["psi"]
	text.FLOPs += psi.FLOPs / psiBatch
	text.Operations += psi.Operations
	e := Estimate{Text: text, Times: c.programs["tau"], Modulation: c.programs["modulation"], Step: c.programs["step"], Decode: c.programs["decode"],
		Reference: c.programs["reference"], WeightBytes: m.Bytes(), FixedBytes: c.fixed, LargestTensor: c.largest, LargestWeight: c.largestWeight}
	if _, edits := c.programs["reference"]; edits {
		e.WeightBytes += m.RoleBytes(weights.RoleEncoder)
	}
	var temps int64
	for _, p := range c.programs {
		temps = max(temps, p.TempBytes)
	}
	e.PeakBytes = e.WeightBytes + e.FixedBytes + temps
	e.Parts, e.LeastBytes = c.estimateParts(m)
	e.LeastBytes += e.FixedBytes
	return e
}

func (c *counter) Info() op.Info { return op.Info{Backend: "none", Limits: c.limits} }

func (c *counter) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	return op.NewStorage(w.Name, op.Weight, op.F32, w.Rows, w.Cols), nil
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
