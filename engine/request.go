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
	return recipe.Limits{MinSteps: e.manifest.Scheduler.FixedSteps(), MaxSteps: e.manifest.MaxSteps, Sizes: e.manifest.Sizes, Blocks: len(e.transformer.Shape().Blocks), Edits: e.edits()}
}

func (e *Engine) parameters(req Request) Parameters {
	info := e.be.Info()
	req.Guidance, req.GuidanceRows = slices.Clone(req.Guidance), e.rows(req)
	req.Probe, req.Reference = nil, named(req.Reference)
	return Parameters{Request: req, Model: e.manifest.Name, Revision: e.manifest.Revision, Precision: e.precision, Backend: info.Backend, Plan: info.Plan}
}

// Defaults is the request that model.json proposes, without guidance.
func (e *Engine) Defaults() Request {
	return proposed(&e.manifest)
}

// EditSteps is how many steps it proposes for an edit.
func (e *Engine) EditSteps() int { return e.manifest.Defaults.For(true) }
