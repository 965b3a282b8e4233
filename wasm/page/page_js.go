package page

import (
	"context"
	"syscall/js"
	"time"

	"honnef.co/go/js/dom/v2"

	carried "undertone/engine/recipe"
	"undertone/wasm/host"
	"undertone/wasm/promise"
)

// view is a part of the page.
type view interface{ render(s *state) }

// app holds the state, the views and what people can do. Go in the browser runs
// on one thread and is never interrupted, so the state needs no lock as long as
// nobody waits between reading and writing it.
type app struct {
	state  state
	api    api
	views  []view
	cancel context.CancelFunc // of what is running
	model  string             // address of model.json
	drawn  bool               // a rendering is due at the next frame
	stage  *stage
	shelf  *shelf             // the gallery's storage, once it is open
	queue  []job              // pictures that wait
	skip   context.CancelFunc // ends the running picture, but not the queue
}

// Run builds the page and never returns. class is the API's Undertone.
func Run(class js.Value) {
	document = js.Global().Get("document")
	a := &app{api: api{class: class}}
	a.state.pane = "picture"
	a.state.live.mode = liveAuto
	language := newLanguage(a)
	stage, panel := byID("stage"), byID("panel")
	a.stage = newStage(a, stage)
	a.views = []view{
		a.stage, newLoader(a), newAlert(a, stage),
		newPrompt(a, panel), newGuidance(a, panel), newSettings(a, panel), newStatus(), newEdition(), language, newUpdates(a),
		newReceiver(a), newKeeper(a), newStorage(a, byID("footer")), newDiagnostics(a, byID("footer")),
	}
	// The views of the stage, in the order of their tabs.
	a.stage.add("picture", &say.TabPicture, newEaselPane(a))
	a.stage.add("compare", &say.TabCompare, newCompare(a))
	a.stage.add("sweep", &say.TabSweep, newSweep(a))
	a.stage.add("steps", &say.TabSteps, newSteps(a))
	a.stage.add("gallery", &say.TabGallery, newGallery(a))
	a.stage.add("how", &say.TabHow, newHow(a))
	a.keys()
	go a.readModels(byID("app").GetAttribute("data-models"))
	go a.lookForGPU()
	go a.lookAtStorage()
	a.render()
	root().Get("dataset").Set("state", "running")
	select {}
}

// update changes the state and renders it at the next frame.
func (a *app) update(change func(s *state)) {
	change(&a.state)
	if a.drawn {
		return
	}
	a.drawn = true
	// A frame never comes while the page is hidden, and time goes on there too.
	draw := func() {
		if a.drawn {
			a.render()
		}
	}
	if document.Get("hidden").Bool() {
		dom.GetWindow().SetTimeout(draw, 0)
		return
	}
	dom.GetWindow().RequestAnimationFrame(func(time.Duration) { draw() })
}

func (a *app) render() {
	a.drawn = false
	for _, v := range a.views {
		v.render(&a.state)
	}
	fresh = false
}

// keys are the shortcuts: Ctrl+Enter (or Cmd+Enter) generates, Esc stops.
func (a *app) keys() {
	on(dom.GetWindow(), "keydown", func(e dom.Event) {
		k, ok := e.(*dom.KeyboardEvent)
		if !ok {
			return
		}
		switch {
		case k.Key() == "Enter" && (k.CtrlKey() || k.MetaKey()):
			e.PreventDefault()
			a.generate()
		case k.Key() == "Escape" && a.cancel != nil:
			e.PreventDefault()
			a.stop()
		}
	})
}

// describe finds out what a model offers: from the description beside its model.json,
// or, where there is none, from the engine.
func (a *app) describe(address string) (*model, error) {
	ctx := context.Background()
	url := js.Global().Get("URL")
	beside := url.New(carried.DescriptionName, url.New(address, document.Get("baseURI")))
	response, err := promise.Await(ctx, js.Global().Call("fetch", beside))
	if err != nil {
		return nil, err
	}
	if response.Get("ok").Bool() {
		text, err := promise.Await(ctx, response.Call("text"))
		if err != nil {
			return nil, err
		}
		if d, err := carried.ParseDescription([]byte(text.String())); err == nil {
			return newModel(d)
		}
	}
	return a.api.describe(address)
}

// lookForGPU asks for an adapter, which costs nothing and is given back.
func (a *app) lookForGPU() {
	set := func(webgpu bool, why reason) {
		a.update(func(s *state) { s.device.known, s.device.webgpu, s.device.reason = true, webgpu, why })
	}
	gpu := host.Get("navigator", "gpu")
	switch {
	case gpu.Truthy():
		adapter, err := promise.Await(context.Background(), gpu.Call("requestAdapter"))
		if err == nil && adapter.Truthy() {
			set(true, noWebGPU)
			return
		}
		set(false, noAdapter)
	case !js.Global().Get("isSecureContext").Bool():
		set(false, insecure)
	default:
		set(false, noWebGPU)
	}
	time.Sleep(100 * time.Millisecond) // let the page be drawn first
	speed := cpuSpeed()
	a.update(func(s *state) { s.device.cpuSpeed = speed })
}

// load loads the model on the named device ("auto" or "cpu").
func (a *app) load(device string) {
	if a.state.phase != waiting && a.state.phase != ready || a.state.model == nil {
		return
	}
	ctx := a.begin(loading)
	a.update(func(s *state) { s.load = progress{total: s.model.Bytes} })
	go func() {
		got, err := a.api.load(ctx, a.model, device, func(p progress) {
			a.update(func(s *state) {
				p.meter = s.load.meter
				if p.stage != "download" {
					p.done, p.total = s.load.done, s.load.total
				} else {
					p.meter.add(time.Now(), p.done-p.stored)
				}
				s.load = p
			})
		})
		a.lookAtStorage()
		a.end(func(s *state) {
			if err != nil {
				s.phase, s.problem = waiting, problemOf(err)
				return
			}
			s.phase, s.info = ready, got
			s.note = say.Ready
			if note := keptNote(got.Storage); note != "" {
				s.note = note
			}
			s.live.recent = nil // measured anew
		})
		if k := &a.state.kept; err == nil && k.Used > 0 && !k.Persisted && !k.denied {
			a.askToKeep()
		}
	}()
}

// begin enters a phase that can be stopped.
func (a *app) begin(p phase) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.update(func(s *state) { s.phase, s.problem, s.note = p, nil, "" })
	return ctx
}

// end leaves it.
func (a *app) end(change func(s *state)) {
	a.cancel()
	a.cancel = nil
	a.update(change)
}

// stop ends what is running: the download, or the picture and all that wait.
func (a *app) stop() {
	if a.cancel != nil {
		a.cancel()
	}
}
