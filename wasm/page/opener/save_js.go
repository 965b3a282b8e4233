package opener

import (
	"undertone/wasm/host"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Save is a button that writes a model of a person's own as a bundle into a folder, or, in
// browsers that let no page write into one, what to use in its place.
type Save struct{ Box ui.Element }

// NewSave makes it.
func NewSave(a *app.App) *Save {
	v := &Save{}
	if host.Get("showDirectoryPicker").Truthy() {
		v.Box = ui.IconButton("secondary", "save", &words.Text.OpenSave, func() {
			chosen := ui.Window.Call("showDirectoryPicker", map[string]any{"mode": "readwrite", "id": "undertone-bundle"})
			go func() {
				if folder, err := promise.Of(chosen); err == nil { // else none was chosen
					a.Save(folder)
				}
			}()
		})
	} else {
		// A download made of memory could not be of a model's size.
		v.Box = ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.OpenSaveNot)
	}
	v.Box.SetID("save-model")
	return v
}

// Render draws it.
func (v *Save) Render(s *app.State) {
	ui.Show(v.Box, s.Model != nil && s.Offers[s.Offer].Own() && s.Offers[s.Offer].Adapter == nil)
}
