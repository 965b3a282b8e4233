// Package engine makes pictures: Load → Encode → Guide → Denoise → Decode.
//
//	e, err := engine.Load(ctx, backend, bundle, engine.LoadOptions{})
//	r, err := e.Generate(ctx, engine.Request{Prompt: "a frog in a meadow", Seed: 1, Steps: 4, Size: recipe.Square(256), CFG: 1}, nil)
//
// An Engine is given a machine (op.Backend) and a model (weights.Bundle) and
// knows neither WebGPU nor files. It keeps compiled programs for each picture
// size, so that a second picture costs only its arithmetic, and the vectors of
// recent prompts, so that moving a guidance slider reads no text at all.
//
// Every error is, or wraps, a *fault.Error.
package engine
