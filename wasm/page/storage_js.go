package page

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall/js"

	"honnef.co/go/js/dom/v2"

	"undertone/wasm/promise"
)

// storageView says what this device keeps, and lets people delete it.
type storageView struct {
	app                   *app
	used, safe            element
	list, keep, deleteAll element
	listed                string // what list shows
}

func newStorage(a *app, parent element) *storageView {
	v := &storageView{
		app:       a,
		used:      el("p", attrs{"id": "storage-used"}),
		safe:      el("p", attrs{"class": "muted"}),
		list:      el("ul", attrs{"class": "kept"}),
		keep:      button("secondary", &say.StorageKeep, func() { go a.askToKeep() }),
		deleteAll: iconButton("secondary", "bin", &say.StorageDeleteAll, func() { go a.deleteWeights("") }),
	}
	v.keep.SetID("storage-keep")
	v.deleteAll.SetID("storage-delete")
	delegate(v.list, "[data-address]", func(at element) { go a.deleteWeights(at.GetAttribute("data-address")) })
	box := el("details", attrs{"class": "storage"}, el("summary", nil, &say.Storage),
		el("p", attrs{"class": "muted"}, &say.StorageHint), v.used, v.list, v.safe, v.keep, v.deleteAll)
	box.SetID("storage")
	on(box, "toggle", func(dom.Event) { go a.lookAtStorage() })
	add(parent, box)
	return v
}

func (v *storageView) render(s *state) {
	k := &s.kept
	switch {
	case !k.known:
		setText(v.used, "")
	case !k.Available:
		setText(v.used, say.StorageOff)
	case k.Used == 0:
		setText(v.used, fmt.Sprintf(say.StorageNone, bytesText(k.Quota)))
	default:
		setText(v.used, fmt.Sprintf(say.StorageUsed, bytesText(k.Used), bytesText(k.Quota)))
	}
	v.renderList(k)
	show(v.deleteAll, k.Used > 0)
	show(v.safe, k.Used > 0)
	show(v.keep, k.Used > 0 && !k.Persisted)
	switch {
	case k.Persisted:
		setText(v.safe, say.StoragePromised)
	case k.denied:
		setText(v.safe, say.StorageDenied)
	default:
		setText(v.safe, say.StorageUnsure)
	}
}

// renderList builds the list anew only when it changes, so that nobody loses the
// button that has the focus.
func (v *storageView) renderList(k *keptWeights) {
	now := fmt.Sprint(k.Models, say.StorageDelete)
	if now == v.listed {
		return
	}
	v.listed = now
	v.list.SetTextContent("")
	for _, m := range k.Models {
		text := fmt.Sprintf(say.StorageModel, m.Title, m.Revision, bytesText(m.Stored))
		if m.Stored < m.Bytes {
			text = fmt.Sprintf(say.StoragePart, m.Title, m.Revision, bytesText(m.Stored), bytesText(m.Bytes))
		}
		b := el("button", attrs{"type": "button", "class": "quiet", "data-address": m.Address,
			"aria-label": fmt.Sprintf(say.StorageDeleteModel, m.Title, m.Revision)}, icon("bin"), say.StorageDelete)
		add(v.list, el("li", nil, el("span", nil, text), b))
	}
	show(v.list, len(k.Models) > 0)
}

// lookAtStorage asks what is kept.
func (a *app) lookAtStorage() {
	v, err := promise.Await(context.Background(), a.api.class.Call("storage"))
	if err != nil {
		return
	}
	k := keptWeights{known: true, denied: a.state.kept.denied}
	if json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", v).String()), &k) != nil {
		return
	}
	a.update(func(s *state) { s.kept = k })
}

// deleteWeights deletes what is kept of the model at an address, or all of it.
func (a *app) deleteWeights(address string) {
	var arguments []any
	if address != "" {
		arguments = append(arguments, address)
	}
	before := a.state.kept.Used
	_, err := promise.Await(context.Background(), a.api.class.Call("remove", arguments...))
	a.lookAtStorage()
	a.update(func(s *state) {
		if err != nil {
			s.problem, s.note = problemOf(err), ""
			return
		}
		s.note = fmt.Sprintf(say.StorageFreed, bytesText(before-s.kept.Used))
	})
}

// askToKeep asks the browser never to delete by itself what is kept here.
func (a *app) askToKeep() {
	kept, err := promise.Await(context.Background(), a.api.class.Call("persist"))
	a.state.kept.denied = err != nil || !kept.Bool()
	a.lookAtStorage()
}

// here is how much of the chosen model is on this device already.
func (a *app) here(s *state) int64 {
	return s.kept.here(js.Global().Get("URL").New(a.model, document.Get("baseURI")).Get("href").String())
}

// keptNote is what a person should know about the storing of what was just loaded.
func keptNote(code string) string {
	switch {
	case code == "":
		return ""
	case strings.HasPrefix(code, "storage-"):
		return say.NotKept
	}
	return say.OlderModel
}
