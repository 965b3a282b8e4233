package embed

import (
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

// told is what the host was told last.
type told struct {
	ready   bool
	load    app.Progress
	recipe  *app.Recipe
	step    int
	picture *app.Picture
	problem *app.Problem
}

// tell tells the host what has changed.
func (v *Embed) tell(s *app.State) {
	t := &v.told
	say := func(kind string, detail any) { v.frame.Call("tell", kind, detail) }
	if whole, known := v.whole(s); known && s.Device.Known && !t.ready {
		t.ready = true
		say("ready", app.Object("model", s.Model.Model, "title", s.Model.Title, "bytes", s.Model.Bytes, "stored", whole, "webgpu", s.Device.WebGPU, "presets", presets(s.Model)))
	}
	if r := s.Form.Made(); v.read && (t.recipe == nil || !t.recipe.Same(r)) {
		t.recipe = &r
		detail := r.Value()
		detail["notices"], detail["reader"] = notices(v.notices), !v.asks
		say("settings", detail)
	}
	v.asks = false
	if p := s.Load; s.Phase == app.Loading && (p.Stage != t.load.Stage || p.Done != t.load.Done || p.Before != t.load.Before) {
		t.load = p
		say("progress", app.Object("stage", p.Stage, "done", p.Done, "total", p.Total, "before", p.Before))
	}
	if s.Phase != app.Generating {
		t.step = 0
	} else if n := s.Running.Step; n != t.step {
		t.step = n
		say("step", app.Object("step", n, "steps", s.Running.Steps))
	}
	if p := s.Picture; p != nil && p != t.picture {
		t.picture = p
		say("image", image(p))
	}
	if p := s.Problem; p != t.problem {
		if t.problem = p; p != nil {
			say("error", fault(p))
		}
	}
}

// image is what the host is told of a picture; its bytes it has to ask for.
func image(p *app.Picture) map[string]any {
	size := p.Image.(js.Value)
	return app.Object("width", size.Get("width"), "height", size.Get("height"), "milliseconds", p.TotalMs, "settings", p.Recipe.Value())
}

func fault(p *app.Problem) map[string]any {
	return app.Object("code", p.Code, "message", p.Message, "advice", p.Advice)
}

// notices are what was not taken as it was given.
func notices(list []recipe.Notice) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = app.Object("field", string(n.Field), "given", n.Given, "used", n.Used)
	}
	return out
}

func presets(m *app.Model) []any {
	out := make([]any, len(m.Directions))
	for i, p := range m.Directions {
		out[i] = app.Object("id", p.ID, "title", p.Title, "low", p.Low, "high", p.High)
	}
	return out
}

// asked are the pictures that the host waits for.
type asked struct {
	ids  []int
	from *app.Picture // what was shown when it asked
	woke bool         // a model has to be loaded first, and the picture may be made already
}

// mostAsked bounds how often a host may ask before it is answered.
const mostAsked = 32

// generate makes a picture for the host, if somebody has agreed to what that takes: by a
// press in this frame, or because the weights are here.
func (v *Embed) generate(id int) {
	s := &v.app.State
	whole, _ := v.whole(s)
	refuse := func(code string) { v.frame.Call("answer", id, nil, map[string]any{"code": code}) }
	switch {
	case !v.agreed && !whole && s.Phase != app.Loading:
		refuse("needs-consent")
		return
	case len(v.asked.ids) == mostAsked:
		refuse("busy")
		return
	case len(v.asked.ids) == 0:
		v.asked.from = s.Picture
	}
	v.asked.ids = append(v.asked.ids, id)
	switch {
	case !v.pace.seen:
		v.pace.owed = true
	case s.Phase == app.Waiting:
		v.asked.woke = true
		v.app.Start(v.device(s))
	case s.Phase == app.Loading:
		v.asked.woke = true
	default:
		v.app.Generate()
	}
}

// settle answers the host when nothing runs any more.
func (v *Embed) settle(s *app.State) {
	q := &v.asked
	if len(q.ids) == 0 || s.Busy() || v.pace.owed {
		return
	}
	again := q.woke && s.Phase == app.Ready && s.Picture == q.from
	if q.woke = false; again {
		v.app.Generate()
		return
	}
	for _, id := range q.ids {
		switch {
		case s.Picture != nil && s.Picture != q.from:
			v.frame.Call("answer", id, image(s.Picture))
		case s.Problem != nil:
			v.frame.Call("answer", id, nil, fault(s.Problem))
		default:
			v.frame.Call("answer", id, nil, map[string]any{"code": "aborted"})
		}
	}
	*q = asked{}
}
