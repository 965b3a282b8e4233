package engine

import (
	"slices"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// Describe says what a model.json offers and what it takes, without weights or a
// machine. It is refused with what Load would say of it (fault.ManifestInvalid,
// fault.ModelUnsupported), so that nobody downloads a model that cannot be used.
func Describe(m *weights.Manifest) (recipe.Description, error) {
	if err := Supports(m); err != nil {
		return recipe.Description{}, err
	}
	e, estimate, err := plan(m, proposed(m), nil)
	if err != nil {
		return recipe.Description{}, err
	}
	d := e.describe(estimate)
	if e.edits() {
		if _, estimate, err = plan(m, edited(m), nil); err != nil {
			return recipe.Description{}, err
		}
		d.Edits = e.describeEdits(estimate)
	}
	return d, d.Check()
}

// Info describes the loaded model.
func (e *Engine) Info() Info {
	be := e.be.Info()
	_, estimate, err := plan(&e.manifest, e.Defaults(), be.Limits)
	if err != nil {
		estimate = Estimate{} // of a model whose own proposal is out of its range
	}
	d := e.describe(estimate)
	if e.edits() {
		_, estimate, _ = plan(&e.manifest, edited(&e.manifest), be.Limits) // likewise empty
		d.Edits = e.describeEdits(estimate)
	}
	return Info{
		Description: d, Precision: e.precision, Backend: be.Backend, Adapter: be.Adapter, Software: be.Software,
		Features: be.Features, Plan: be.Plan, Words: e.conditioner.readers[0].tokenizer.Vocabulary(),
	}
}

// proposed is the request that a model.json proposes, without guidance.
func proposed(m *weights.Manifest) Request {
	d := m.Defaults
	return Request{Prompt: d.Prompt, Seed: d.Seed, Steps: d.Steps, Size: d.Size, CFG: d.CFG}
}

// describe tells of the manifest and the transformer; first is of its proposed picture.
func (e *Engine) describe(first Estimate) recipe.Description {
	m := &e.manifest
	files := map[string]int64{}
	for _, f := range m.Files {
		files[f.Role] += f.Bytes
	}
	d := recipe.Description{
		Model: m.Name, Title: m.Title, Family: m.Family, Revision: m.Revision, Licenses: m.Licenses, Parameters: m.Parameters(),
		Bytes: m.Bytes(), Files: files, Bits: bits(files["dit"], m.Parameters().DiT), Blocks: countBlocks(e.transformer.Shape().Blocks),
		Sizes: m.Sizes, Steps: m.Defaults.Steps, MaxSteps: m.MaxSteps, Defaults: m.Defaults,
		Presets: m.Presets, SteersHead: slices.ContainsFunc(m.Presets, func(p recipe.Preset) bool { return p.Head != 0 }), Understands: m.Understands, Examples: m.Examples, Memory: first.PeakBytes,
		Judge: m.OffersJudge(),
	}
	d.FLOPs = first.FLOPs(m.Defaults.Steps, guided)
	return d
}

// guided is how many prompts a picture with one direction reads: its own, and two of the
// direction.
const guided = 3

// edited is the proposed request with a reference picture, which may have any size.
func edited(m *weights.Manifest) Request {
	req := proposed(m)
	req.Steps = m.Defaults.For(true)
	req.Reference = &recipe.Reference{Width: 1, Height: 1, Pixels: make([]byte, 4)}
	return req
}

// describeEdits tells of an edit with the settings of the proposed picture.
func (e *Engine) describeEdits(first Estimate) *recipe.Edits {
	m := &e.manifest
	return &recipe.Edits{Bytes: m.RoleBytes(weights.RoleEncoder), FLOPs: first.FLOPs(m.Defaults.For(true), guided), Memory: first.PeakBytes}
}

// bits is how many a file of so many bytes spends on each weight, without the scales
// that quantized blocks have beside them: a power of two.
func bits(bytes, parameters int64) int {
	each := 8 * float64(bytes) / float64(max(1, parameters))
	n := 32
	for float64(n) > each && n > 2 {
		n /= 2
	}
	return n
}

func countBlocks(kinds []string) (b Blocks) {
	for _, k := range kinds {
		if k == "double" {
			b.Double++
		} else {
			b.Single++
		}
	}
	return b
}
