package app

import (
	"cmp"
	"syscall/js"
	"time"

	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// View draws a part of the page from the state. Render changes elements and nothing
// else; it is called at every change.
type View interface{ Render(s *State) }

// App holds the state, what is drawn from it and what acts on it.
type App struct {
	State  State
	OnLoad []func() // called when the loading of a model has ended, before the state says so; they may wait
	OnMake []func() // called when Generate has begun to make pictures
	// Keeps says that this page keeps its turn on the device, which it shares with others of
	// the site, until it rests (Rest); else it has one only while it makes pictures.
	Keeps  bool
	Wanted bool // others wait for the turn that it keeps
	// Untuned has models loaded from now on neither measure kernels nor use what is known of them.
	Untuned bool

	api       api
	views     []View
	reactions []func(s *State)
	scheduled bool    // a rendering is due at the next frame
	draw      js.Func // draws what is due, for the browser to call
	cancel    func()  // of what is running
	queue     []Job   // pictures that wait
	skip      func()  // ends the running picture, but not the queue
	later     func()  // what waits until nothing runs any more
	due       bool    // the form was changed during a run that it has to wait for
	leave     func()  // gives the turn back; nil where this page has none
	device    string  // on which the model was loaded
	// remark stops what takes the remark away; nil before the first. (A *time.Timer here would
	// keep in the program what prints times.)
	remark func() bool
}

// New is an app on the API's class Undertone.
func New(class js.Value) *App {
	a := &App{api: api{class: class}}
	a.draw = js.FuncOf(func(js.Value, []js.Value) any {
		if a.scheduled {
			a.Render()
		}
		return nil
	})
	a.api.tuned = js.FuncOf(func(_ js.Value, args []js.Value) any {
		a.Update(func(s *State) { s.Loaded.Tuning = tuningOf(args[0]) })
		return nil
	})
	a.State.Tab = "picture"
	a.State.Live.Mode = LiveAuto
	return a
}

// Add adds views, which are drawn in this order.
func (a *App) Add(views ...View) { a.views = append(a.views, views...) }

// React adds a reaction: it is called after changes, before they are drawn, and does
// what follows from them.
func (a *App) React(reaction func(s *State)) { a.reactions = append(a.reactions, reaction) }

// Update changes the state, which is drawn at the next frame.
func (a *App) Update(change func(s *State)) {
	change(&a.State)
	if a.scheduled {
		return
	}
	a.scheduled = true
	if ui.Document.Get("hidden").Bool() {
		ui.Window.Call("setTimeout", a.draw)
		return
	}
	// No frame comes where the page is hidden before it, or a busy browser makes none. Time
	// goes on there too.
	ui.Window.Call("requestAnimationFrame", a.draw)
	ui.Window.Call("setTimeout", a.draw, latest)
}

// latest is in how many milliseconds a change is drawn without a frame.
const latest = 500

// Render draws the state now.
func (a *App) Render() {
	a.scheduled = true // what reactions change is drawn below
	for _, react := range a.reactions {
		react(&a.State)
	}
	a.scheduled = false
	if f := a.later; f != nil && a.idle() {
		a.later = nil
		go f()
	}
	for _, v := range a.views {
		v.Render(&a.State)
	}
	ui.Rendered()
}

// begin enters a phase that can be stopped.
func (a *App) begin(p Phase) (signal js.Value) {
	signal, a.cancel = AbortSignal()
	a.Update(func(s *State) { s.Phase, s.Problem, s.Note = p, nil, "" })
	return signal
}

// Later calls f when nothing runs any more, and says so meanwhile; of several only the last.
// nil is for what was done at once, and takes the place of what waits.
func (a *App) Later(f func()) {
	if a.later = f; f != nil {
		a.Update(func(s *State) { s.Note = words.Text.Waits })
	}
}

// Take fills in the form from a picture, and shows that, if it is there, in the view tab, "" for
// the one that is shown; when no picture is made any more that would take its place.
func (a *App) Take(p *Picture, note, tab string) {
	if a.State.Running.Replaces() {
		a.Later(func() { a.Take(p, note, tab) })
		return
	}
	a.Later(nil)
	a.Update(func(s *State) {
		ui.Overwrite()
		s.Form.Restore(p.Recipe)
		s.Say(note)
		if p.Image != nil {
			s.Tab = cmp.Or(tab, s.Tab)
			s.Show(p)
		}
	})
}

// end leaves it.
func (a *App) end(change func(s *State)) {
	a.cancel = nil
	a.Update(change)
}

// Stop ends what is running: the download, or the picture and all that wait. It reports
// whether anything was.
func (a *App) Stop() bool {
	if a.cancel == nil {
		return false
	}
	if a.cancel(); a.State.Phase == Generating && a.skip != nil {
		a.skip()
	}
	return true
}

// Fail says what went wrong, in the place of what was said to have gone well before.
func (a *App) Fail(err error) {
	a.Update(func(s *State) {
		if s.Problem = ProblemOf(err); s.Problem != nil {
			s.Note = ""
		}
	})
}

// Say says under the picture what became of an action; it goes after a while.
func (a *App) Say(text string) {
	if a.remark != nil {
		a.remark() // or it would take away this one, when the text is the same
	}
	a.Update(func(s *State) { s.Remark = text })
	a.remark = time.AfterFunc(6*time.Second, func() {
		a.Update(func(s *State) { s.Remark = "" })
	}).Stop
}
