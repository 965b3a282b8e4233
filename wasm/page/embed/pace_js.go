package embed

import "undertone/wasm/page/app"

// pace is when the frame may compute.
type pace struct {
	seen bool // somebody sees it
	owed bool // a picture was given up when it went out of view
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
	if v.app.Wanted && s.Phase == app.Ready {
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
