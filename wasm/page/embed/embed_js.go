package embed

import (
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/panel"
	"undertone/wasm/page/shell"
	"undertone/wasm/page/ui"
)

// Embed is what the frame shows, and what it does for its host.
type Embed struct {
	app     *app.App
	frame   js.Value // web/frame.js
	storage *shell.Storage
	view    *view
	pace    pace
	told    told
	asked   asked

	given   settings
	read    bool // given is in the form
	asks    bool // what the host asks for came into the form since it was told last
	agreed  bool // a model was loaded: somebody has pressed Start, or it was here
	begun   bool // it was loaded without a press, or tried
	notices []recipe.Notice
}

// Run builds the embed and never returns. class is the API's Undertone.
func Run(class js.Value) {
	a := app.New(class)
	v := &Embed{app: a, frame: js.Global().Get("undertone").Get("frame")}
	v.given = split(js.Global().Get("location").Get("hash").String())
	v.paint()
	shell.Begin(v.given.own[keyLang])
	section := ui.ByID("stage")
	v.storage = shell.NewStorage(a, ui.El("div", nil)) // not shown: it tells what is here
	v.view = newView(v, section)
	a.Keeps = true
	a.React(v.react)
	a.Add(
		v.view, shell.NewLoader(a, v.storage, new(shell.Updates), ui.El("span", nil)), shell.NewAlert(a, section),
		panel.NewGuidance(a, v.view.guidance), shell.NewFocus(),
	)
	shell.NewAnnouncer(a)
	ui.KeepFromWheel()
	v.frame.Call("watch", js.FuncOf(func(_ js.Value, args []js.Value) any {
		v.pace.seen = args[0].Bool()
		a.Render() // at once: no animation frame comes to a frame out of view
		return nil
	}))
	v.frame.Call("listen", js.FuncOf(func(_ js.Value, args []js.Value) any {
		v.hear(args[0].String(), args[1].Int(), args[2].String())
		return nil
	}))
	go a.ReadModels(ui.ByID("app").GetAttribute("data-models"))
	go shell.LookForGPU(a)
	a.Render()
	ui.Root().Get("dataset").Set("state", "running")
	select {}
}

// paint takes over the host's colours.
func (v *Embed) paint() {
	theme := v.given.own[keyTheme]
	if theme != "light" && theme != "dark" {
		theme = "auto"
	}
	v.frame.Call("theme", theme)
}

// hear does what the host asks for.
func (v *Embed) hear(kind string, id int, text string) {
	switch kind {
	case "set", "look":
		given := split(text)
		if kind == "look" { // the host's colours and language: what is drawn stays the reader's
			v.given.own[keyTheme], v.given.own[keyLang] = given.own[keyTheme], given.own[keyLang]
		} else {
			v.given = given
		}
		v.paint()
		go func() {
			if shell.Speak(shell.Wished(v.given.own[keyLang])) == nil { // or the language stays
				v.app.Update(func(*app.State) {}) // what was drawn before the words came
			}
		}()
		if kind == "set" && v.app.State.Model != nil {
			v.app.Press(func(*app.Form) { v.fill(&v.app.State) })
		}
	case "generate":
		v.generate(id)
	case "stop":
		v.stop()
	case "blob":
		if p := v.app.State.Picture; p != nil {
			v.frame.Call("answer", id, p.Blob())
		} else {
			v.frame.Call("answer", id, nil, map[string]any{"code": "no-picture"})
		}
	}
}

// stop ends what runs, and what waits to be seen.
func (v *Embed) stop() {
	v.pace.owed = false
	v.app.Stop()
}

// fill puts what the host asks for into the form. The model stays once one is loaded: to
// load another takes a press.
func (v *Embed) fill(s *app.State) {
	v.read, v.asks = true, true
	i, notices := v.given.offer(s.Offers)
	if s.Phase == app.Waiting && !s.Resting {
		s.Choose(i)
	}
	q, more := recipe.FromEmbed(v.given.recipe, s.Model.Description)
	v.notices = append(notices, more...)
	ui.Overwrite()
	s.Form.Restore(app.NewRecipe(q))
	v.view.comparing = v.given.has(keyCompare)
	s.Shared = true // the picture is named by the host's words
}

// react does what follows from changes.
func (v *Embed) react(s *app.State) {
	if s.Model != nil && !v.read {
		v.fill(s)
	}
	v.agreed = v.agreed || s.Phase >= app.Ready
	v.move(s)
	v.view.react(s)
	v.tell(s)
	v.settle(s)
}

// whole reports whether the chosen model is on this device as a whole, and whether that
// is known.
func (v *Embed) whole(s *app.State) (whole, known bool) {
	if s.Model == nil {
		return false, false
	}
	here, all := v.storage.Here(s)
	return here >= all, v.storage.Known()
}
