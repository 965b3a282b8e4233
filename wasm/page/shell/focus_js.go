package shell

import (
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
)

// Focus keeps the keyboard in the page: when what has the focus goes, as the button does
// that loads the model, a browser leaves the focus nowhere, and whoever has no mouse
// begins at the top again.
type Focus struct {
	at ui.Element // what had the focus last; nil when it was left on purpose
}

// NewFocus watches the focus. It is drawn last, after everything that may go.
func NewFocus() *Focus {
	v := &Focus{}
	ui.On(ui.Window, "focusin", func(e ui.Event) { v.at = ui.Wrap(e.Get("target")) })
	ui.On(ui.Window, "focusout", func(ui.Event) {
		if v.at != nil && visible(v.at) {
			v.at = nil
		}
	})
	return v
}

// visible reports whether an element can have the focus, as far as being seen matters.
func visible(e ui.Element) bool { return e.Call("getClientRects").Get("length").Int() > 0 }

// Render moves the focus from what is gone to what ends the work that has begun, or, when
// there is none, to what begins it.
func (v *Focus) Render(*app.State) {
	if v.at == nil || visible(v.at) {
		return
	}
	for _, id := range []string{"cancel", "stop", "load", "load-cpu", "generate", "another"} {
		if e := ui.ByID(id); e.Truthy() && visible(e) {
			e.Call("focus", map[string]any{"preventScroll": true})
			return
		}
	}
}
