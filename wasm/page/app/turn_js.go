package app

import "context"

// StageTurn is the stage of loading in which other pages have the device.
const StageTurn = "queue"

// loadInTurn loads a model once this page may have an engine.
func (a *App) loadInTurn(ctx context.Context, source any, device string, keep bool, onProgress func(Progress)) (Loaded, error) {
	if a.Turn != nil && a.leave == nil {
		leave, err := a.Turn(ctx, func(n int) { onProgress(Progress{Stage: StageTurn, Before: n}) })
		if err != nil {
			return Loaded{}, err
		}
		a.leave = leave
	}
	a.device = device
	got, err := a.api.load(ctx, source, device, keep, onProgress)
	if err != nil {
		a.giveTurn()
	}
	return got, err
}

// giveTurn lets the next page have an engine.
func (a *App) giveTurn() {
	if a.leave != nil {
		a.leave()
		a.leave = nil
	}
}

// Rest ends the engine, for others to have the device. What is asked for next, with the
// controls too, waits for its turn and loads the model again.
func (a *App) Rest() {
	if a.State.Phase != Ready {
		return
	}
	a.api.close()
	a.Update(func(s *State) { s.Phase, s.Resting = Waiting, true })
	a.giveTurn()
}

// wake loads the model again where the engine rests, and draws what the form describes
// then; it reports whether it does.
func (a *App) wake() bool {
	if a.State.Phase == Waiting && a.State.Resting {
		a.Start(a.device)
	}
	return a.State.Resting
}
