package embed

import (
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// forget takes back what a reader has agreed to: the model leaves this browser, and its
// engine ends. To draw again takes another press.
func (v *Embed) forget() {
	address := v.app.State.Address()
	v.agreed, v.begun, v.view.comparing = false, true, false
	v.app.Unload()
	go func() {
		v.storage.Delete(address)
		v.app.Update(func(s *app.State) { s.Note = words.Text.Forgotten })
		v.app.Render() // before the focus is there
		ui.ByID("load").Focus()
	}()
}

// forgettable reports whether something of the model is on this device and nothing runs.
func (v *Embed) forgettable(s *app.State) bool {
	if s.Model == nil || s.Busy() {
		return false
	}
	here, _ := v.storage.Here(s)
	return here > 0
}
