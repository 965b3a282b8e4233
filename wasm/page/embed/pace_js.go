package embed

import (
	"context"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/promise"
)

// pace is when the frame may compute.
type pace struct {
	seen   bool // somebody sees it
	owed   bool // a picture was given up when it went out of view
	wanted bool // another frame waits for the engine
}

// turn waits for this frame's turn to have an engine.
func (v *Embed) turn(ctx context.Context, before func(n int)) (leave func(), err error) {
	v.pace.wanted = false
	c := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { c.Call("abort") })()
	tell := js.FuncOf(func(_ js.Value, args []js.Value) any {
		before(args[0].Int())
		return nil
	})
	wanted := js.FuncOf(func(js.Value, []js.Value) any {
		v.pace.wanted = true
		v.app.Render() // at once, as out of view
		return nil
	})
	back, err := promise.Await(context.Background(), v.frame.Call("turn", c.Get("signal"), tell, wanted))
	tell.Release()
	if err != nil {
		wanted.Release()
		return nil, err
	}
	return func() { back.Invoke(); wanted.Release() }, nil
}

// move begins and ends what runs by itself. A frame that nobody sees gives up what it is
// making, and makes it when it is seen again; one that is idle lets others have the engine.
func (v *Embed) move(s *app.State) {
	p := &v.pace
	whole, _ := v.whole(s)
	switch {
	case !p.seen:
		if s.Phase == app.Generating || s.Phase == app.Loading && s.Load.Stage == app.StageTurn {
			p.owed = v.app.Stop() || p.owed
		}
	case p.owed && s.Phase == app.Ready:
		p.owed = false
		v.app.Generate()
	case p.owed && s.Phase == app.Waiting:
		p.owed = false
		v.app.Start(v.device(s))
	case !v.begun && !v.agreed && whole && s.Phase == app.Waiting && s.Device.WebGPU && v.frame.Get("framed").Bool():
		v.begun = true // once: whoever stops it, wants none
		v.app.Start("auto")
	}
	if p.wanted && s.Phase == app.Ready {
		v.app.Rest()
	}
}

// device is what the model runs on.
func (v *Embed) device(s *app.State) string {
	if s.Loaded.Named() {
		return "cpu"
	}
	return "auto"
}
