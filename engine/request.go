package engine

import (
	"slices"

	"undertone/engine/recipe"
)

// What goes into an engine and what comes out of it. The types stand in engine/recipe,
// so that a program which only asks and shows need not link the engine.
type (
	Request      = recipe.Request
	Term         = recipe.Term
	Parameters   = recipe.Parameters
	ProbeRequest = recipe.ProbeRequest
	StepEvent    = recipe.StepEvent
	Result       = recipe.Result
	Image        = recipe.Image
	Timings      = recipe.Timings
	Geometry     = recipe.Geometry
	Probe        = recipe.Probe
	Info         = recipe.Info
	Blocks       = recipe.Blocks
)

// limits are what the model can do.
func (e *Engine) limits() recipe.Limits {
	return recipe.Limits{MaxSteps: e.manifest.MaxSteps, Sizes: e.manifest.Sizes, Blocks: len(e.transformer.Shape().Blocks)}
}

func (e *Engine) parameters(req Request) Parameters {
	info := e.be.Info()
	req.Guidance, req.Probe = slices.Clone(req.Guidance), nil
	return Parameters{Request: req, Model: e.manifest.Name, Revision: e.manifest.Revision, Precision: e.precision, Backend: info.Backend, Plan: info.Plan}
}

// Defaults is the request that model.json proposes, without guidance.
func (e *Engine) Defaults() Request {
	d := e.manifest.Defaults
	return Request{Prompt: d.Prompt, Seed: d.Seed, Steps: d.Steps, Size: d.Size, CFG: d.CFG}
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

// Info describes the loaded model.
func (e *Engine) Info() Info {
	m, be := e.manifest, e.be.Info()
	return Info{
		Model: m.Name, Title: m.Title, Family: m.Family, Revision: m.Revision,
		Licenses: m.Licenses, Parameters: m.Parameters(), Precision: e.precision, Bytes: m.Bytes(),
		Backend: be.Backend, Adapter: be.Adapter, Software: be.Software, Features: be.Features, Plan: be.Plan,
		Blocks: countBlocks(e.transformer.Shape().Blocks),
		Sizes:  m.Sizes, Steps: m.Defaults.Steps, MaxSteps: m.MaxSteps, Defaults: m.Defaults,
		Presets: m.Presets, Understands: m.Understands, Words: e.conditioner.readers[0].tokenizer.Vocabulary(), Examples: m.Examples,
	}
}
