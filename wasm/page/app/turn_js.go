package app

import (
	"fmt"
	"syscall/js"

	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// StageTurn is the stage of loading in which other pages have the device.
const StageTurn = "queue"

// loadInTurn loads a model; a page that keeps its turn waits for it first.
func (a *App) loadInTurn(signal js.Value, o Offer, device string, keep bool, onProgress func(Progress)) (Loaded, error) {
	if a.Keeps {
		if err := a.takeTurn(signal, func(n int) { onProgress(Progress{Stage: StageTurn, Before: n}) }); err != nil {
			return Loaded{}, err
		}
	}
	a.device = device
	got, err := a.api.load(signal, o, device, keep, !a.Untuned, onProgress)
	if err != nil {
		a.giveTurn()
	}
	return got, err
}

// takeTurn waits until this page may use the device (web/turn.js), and tells how many are
// before it.
func (a *App) takeTurn(signal js.Value, before func(n int)) error {
	if a.leave != nil {
		return nil
	}
	a.Wanted = false
	tell := js.FuncOf(func(_ js.Value, args []js.Value) any {
		before(args[0].Int())
		return nil
	})
	defer tell.Release()
	wanted := js.FuncOf(func(js.Value, []js.Value) any {
		if a.Keeps {
			a.Wanted = true
			a.Render() // at once: no animation frame comes to a frame out of view
		}
		return nil
	})
	back, err := promise.Of(js.Global().Get("undertone").Call("turn", signal, tell, wanted))
	if err != nil {
		wanted.Release()
		return err
	}
	a.leave = func() { back.Invoke(); wanted.Release() }
	return nil
}

// turnToDraw is takeTurn for a picture, which says meanwhile that it waits.
func (a *App) turnToDraw(signal js.Value) error {
	waits := ""
	err := a.takeTurn(signal, func(n int) {
		waits = fmt.Sprintf(words.Text.WaitTurn, n)
		a.Update(func(s *State) { s.Note = waits })
	})
	if waits != "" && a.State.Note == waits {
		a.Update(func(s *State) { s.Note = "" })
	}
	return err
}

// giveTurn lets the next page use the device.
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

// Unload ends the engine, which only a press starts again.
func (a *App) Unload() {
	a.Rest()
	a.Update(func(s *State) { s.Resting = false })
}

// wake loads the model again where the engine rests, and draws what the form describes
// then; it reports whether it does.
func (a *App) wake() bool {
	if a.State.Phase == Waiting && a.State.Resting {
		a.Start(a.device)
	}
	return a.State.Resting
}
