package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Storage says what this device keeps, and lets people delete it.
type Storage struct {
	app                   *app.App
	stored                storedWeights
	loading               bool // the model was being loaded
	used, safe            ui.Element
	list, keep, deleteAll ui.Element
	listed                string // what list shows
}

// NewStorage puts it at the end of an element.
func NewStorage(a *app.App, parent ui.Element) *Storage {
	v := &Storage{
		app:  a,
		used: ui.El("p", ui.Attrs{{"id", "storage-used"}}),
		safe: ui.El("p", ui.Attrs{{"class", "muted"}}),
		list: ui.El("ul", ui.Attrs{{"class", "models"}}),
	}
	v.keep = ui.Button("secondary", &words.Text.StorageKeep, func() { go v.askToKeep() })
	v.deleteAll = ui.IconButton("secondary", "bin", &words.Text.StorageDeleteAll, func() { go v.Delete("") })
	v.keep.SetID("storage-keep")
	v.deleteAll.SetID("storage-delete")
	ui.Delegate(v.list, "[data-address]", func(at ui.Element) { go v.Delete(at.GetAttribute("data-address")) })
	box := ui.El("details", ui.Attrs{{"class", "storage"}}, ui.El("summary", nil, &words.Text.Storage),
		ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.StorageHint), v.used, v.list, v.safe, v.keep, v.deleteAll)
	box.SetID("storage")
	ui.On(box, "toggle", func(ui.Event) { go v.refresh() })
	ui.Append(parent, box)
	a.OnLoad = append(a.OnLoad, v.refresh)
	a.React(v.react)
	go v.refresh()
	return v
}

// Render draws it.
func (v *Storage) Render(*app.State) {
	k := &v.stored
	switch {
	case !k.known:
		ui.SetText(v.used, "")
	case !k.Available:
		ui.SetText(v.used, words.Text.StorageOff)
	case k.Used == 0:
		ui.SetText(v.used, fmt.Sprintf(words.Text.StorageNone, words.Bytes(k.Quota)))
	default:
		ui.SetText(v.used, fmt.Sprintf(words.Text.StorageUsed, words.Bytes(k.Used), words.Bytes(k.Quota)))
	}
	v.renderList(k)
	ui.Show(v.deleteAll, k.Used > 0)
	ui.Show(v.safe, k.Used > 0)
	ui.Show(v.keep, k.Used > 0 && !k.Persisted)
	switch {
	case k.Persisted:
		ui.SetText(v.safe, words.Text.StoragePromised)
	case k.denied:
		ui.SetText(v.safe, words.Text.StorageDenied)
	default:
		ui.SetText(v.safe, words.Text.StorageUnsure)
	}
}

// renderList builds the list anew only when it changes, so that nobody loses the
// button that has the focus.
func (v *Storage) renderList(k *storedWeights) {
	now := fmt.Sprint(k.Models, words.Text.StorageDelete)
	if now == v.listed {
		return
	}
	v.listed = now
	v.list.SetTextContent("")
	for _, m := range k.Models {
		text, label := m.text()
		b := ui.El("button", ui.Attrs{{"type", "button"}, {"class", "quiet"}, {"data-address", m.Address}, {"aria-label", label}}, ui.Icon("bin"), words.Text.StorageDelete)
		ui.Append(v.list, ui.El("li", nil, ui.El("span", nil, text), b))
	}
	ui.Show(v.list, len(k.Models) > 0)
}

// refresh asks what is kept.
func (v *Storage) refresh() {
	got, err := v.app.Call("storage")
	if err != nil {
		return
	}
	k := storedWeights{known: true, denied: v.stored.denied}
	if app.Decode(got, &k) != nil {
		return
	}
	v.app.Update(func(s *app.State) {
		v.stored = k
		s.Kept(k.own())
	})
}

// Delete deletes what is kept of the model at an address, or all of it.
func (v *Storage) Delete(address string) {
	var arguments []any
	if address != "" {
		arguments = append(arguments, address)
	}
	before := v.stored.Used
	_, err := v.app.Call("remove", arguments...)
	v.refresh()
	v.app.Update(func(s *app.State) {
		if err != nil {
			s.Problem, s.Note = app.ProblemOf(err), ""
			return
		}
		s.Note = fmt.Sprintf(words.Text.StorageFreed, words.Bytes(before-v.stored.Used))
	})
}

// askToKeep asks the browser never to delete by itself what is kept here.
func (v *Storage) askToKeep() {
	kept, err := v.app.Call("persist")
	v.stored.denied = err != nil || !kept.Bool()
	v.refresh()
}

// Known reports whether the browser has said what is kept.
func (v *Storage) Known() bool { return v.stored.known }

// Here is how much of the chosen model is on this device already, of how much, in bytes.
func (v *Storage) Here(s *app.State) (stored, all int64) {
	if stored, all = v.stored.here(s.Address()); all == 0 {
		all = s.Model.Bytes
	}
	return stored, all
}

// Room is how many more bytes the browser would store, as far as it tells.
func (v *Storage) Room() (free int64, known bool) {
	return v.stored.Quota - v.stored.Usage, v.stored.known && v.stored.Available
}

// react asks the browser to keep what a loading has stored.
func (v *Storage) react(s *app.State) {
	if k := &v.stored; v.loading && s.Phase == app.Ready && k.Used > 0 && !k.Persisted && !k.denied {
		go v.askToKeep()
	}
	v.loading = s.Phase == app.Loading
}
