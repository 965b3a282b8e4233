package opener

import (
	"context"

	"undertone/wasm/host"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Save is a button that writes a model of a person's own as a bundle into a folder, in
// browsers that let a page write into one.
type Save struct {
	Box ui.Element
	can bool
}

// NewSave makes it.
func NewSave(a *app.App) *Save {
	v := &Save{can: host.Get("showDirectoryPicker").Truthy()}
	v.Box = ui.IconButton("secondary", "save", &words.Text.OpenSave, func() {
		chosen := ui.Window.Call("showDirectoryPicker", map[string]any{"mode": "readwrite", "id": "undertone-bundle"})
		go func() {
			if folder, err := promise.Await(context.Background(), chosen); err == nil { // else none was chosen
				a.Save(folder)
			}
		}()
	})
	v.Box.SetID("save-model")
	return v
}

// Render draws it.
func (v *Save) Render(s *app.State) {
	ui.Show(v.Box, v.can && s.Model != nil && s.Offers[s.Offer].Own())
}
