package page

import (
	"fmt"
	"slices"
	"syscall/js"
	"time"

	"honnef.co/go/js/dom/v2"
)

// galleryPane shows the pictures that are kept in this browser.
type galleryPane struct {
	app                 *app
	box, list, sum      element
	empty, trouble      element
	clear, sure         element
	full, makeRoom, not element
	file                element
	cards               map[int]element
	reading             bool
}

func newGallery(a *app) *galleryPane {
	v := &galleryPane{app: a, cards: map[int]element{}}
	v.list = el("div", attrs{"class": "cards", "role": "list", "aria-label": &say.TabGallery})
	delegate(v.list, "[data-do]", v.press)
	v.sum = el("p", attrs{"class": "muted"})
	v.empty = el("p", attrs{"class": "empty"}, &say.GalleryEmpty)
	v.trouble = el("p", attrs{"class": "muted"})
	yes := button("secondary", &say.GalleryYes, func() { a.forget(a.state.panes.gallery.kept) })
	// What is pressed disappears, and the focus must not go with it.
	ask := func(sure bool, to *element) {
		a.update(func(s *state) { s.panes.gallery.sure = sure })
		a.render()
		(*to).Focus()
	}
	v.clear = iconButton("quiet", "bin", &say.GalleryClear, func() { ask(true, &yes) })
	v.clear.SetID("gallery-clear")
	v.sure = el("div", attrs{"class": "ask", "role": "group", "aria-label": &say.GalleryClearSure}, el("span", nil, &say.GalleryClearSure), yes,
		button("quiet", &say.Cancel, func() { ask(false, &v.clear) }))
	v.full = el("p", nil)
	v.makeRoom = button("secondary", &say.GalleryFullGo, a.makeRoom)
	v.not = el("div", attrs{"class": "ask", "role": "group", "aria-label": &say.GalleryFullGo}, v.full, v.makeRoom,
		button("quiet", &say.GalleryFullNo, func() { a.update(func(s *state) { s.panes.gallery.waiting = nil }) }))
	v.file = el("input", attrs{"type": "file", "accept": "image/png", "class": "unseen", "id": "open-file", "tabindex": "-1", "aria-hidden": "true"})
	on(v.file, "change", func(dom.Event) {
		if files := v.file.Get("files"); files.Length() > 0 {
			a.open(files.Index(0), 0)
		}
		v.file.Set("value", "")
	})
	open := iconButton("secondary", "open", &say.GalleryOpen, func() { v.file.Call("click") })
	v.box = el("div", attrs{"class": "gallery"}, v.not, v.list, v.empty, v.trouble,
		el("div", attrs{"class": "bar-row"}, v.sum, open, v.file, v.clear, v.sure))
	return v
}

func (v *galleryPane) panel() element { return v.box }

// press is a button of a card.
func (v *galleryPane) press(at element) {
	var id int
	fmt.Sscan(at.GetAttribute("data-id"), &id)
	i := slices.IndexFunc(v.app.state.panes.gallery.kept, func(k kept) bool { return k.id == id })
	if i < 0 {
		return
	}
	k := v.app.state.panes.gallery.kept[i]
	switch at.GetAttribute("data-do") {
	case "restore":
		v.app.open(k.file.(js.Value), k.id)
	case "delete":
		v.app.forget([]kept{k})
		v.clear.Focus() // the card is gone, and the focus with it
	}
}

func (v *galleryPane) render(s *state) {
	g := &s.panes.gallery
	if !g.read && !v.reading {
		v.reading = true
		go v.app.readGallery()
	}
	v.reading = v.reading && !g.read
	for i := range g.kept {
		if k := &g.kept[i]; k.url == "" {
			k.url = js.Global().Get("URL").Call("createObjectURL", k.file.(js.Value)).String()
		}
	}
	there := map[int]bool{}
	for i, k := range g.kept {
		there[k.id] = true
		card, ok := v.cards[k.id]
		if !ok {
			card = v.card(k)
			v.cards[k.id] = card
		}
		if place := v.list.Get("children").Index(i); !place.Equal(card.Value) {
			v.list.Call("insertBefore", card.Value, orNull(place))
		}
		v.name(card, k)
	}
	for id, card := range v.cards {
		if !there[id] {
			card.Call("remove")
			delete(v.cards, id)
		}
	}
	show(v.empty, g.read && len(g.kept) == 0 && g.trouble == "")
	setText(v.trouble, g.trouble)
	show(v.trouble, g.trouble != "")
	show(v.sum, len(g.kept) > 0)
	setText(v.sum, fmt.Sprintf(say.GallerySum, len(g.kept), bytesText(g.bytes())))
	show(v.clear, len(g.kept) > 0 && !g.sure)
	show(v.sure, len(g.kept) > 0 && g.sure)
	show(v.not, g.waiting != nil)
	setText(v.full, g.fullText())
}

func orNull(v js.Value) js.Value {
	if v.IsUndefined() {
		return js.Null()
	}
	return v
}

func (v *galleryPane) card(k kept) element {
	id := fmt.Sprint(k.id)
	restore := el("button", attrs{"type": "button", "class": "tile", "data-do": "restore", "data-id": id},
		el("img", attrs{"src": k.url, "alt": "", "loading": "lazy"}), el("span", nil, k.prompt))
	bin := el("button", attrs{"type": "button", "class": "quiet square", "data-do": "delete", "data-id": id}, icon("bin"))
	return el("div", attrs{"role": "listitem", "class": "kept"}, restore, bin)
}

// name gives a card's buttons their names, in the language that is spoken now.
func (v *galleryPane) name(card element, k kept) {
	when := js.Global().Get("Date").New(k.at.UnixMilli()).Call("toLocaleString", root().Get("lang")).String()
	of := fmt.Sprintf(say.GalleryOf, k.prompt, when)
	buttons := card.Get("children")
	for i, text := range []string{say.GalleryRestore, say.GalleryDelete} {
		b := wrap(buttons.Index(i))
		setAttr(b, "aria-label", fmt.Sprintf(text, of))
		setAttr(b, "title", of)
	}
}

// readGallery reads what is kept.
func (a *app) readGallery() {
	var list []kept
	s, err := a.openGallery()
	if err == nil {
		list, err = s.all()
	}
	a.update(func(s *state) {
		old := s.panes.gallery.kept
		s.panes.gallery.read, s.panes.gallery.kept = true, list
		for i := range list {
			if j := slices.IndexFunc(old, func(k kept) bool { return k.id == list[i].id }); j >= 0 {
				list[i].url, old[j].url = old[j].url, ""
			}
		}
		for _, k := range old {
			if k.url != "" {
				js.Global().Get("URL").Call("revokeObjectURL", k.url)
			}
		}
		s.panes.gallery.trouble = ""
		if err != nil {
			s.panes.gallery.trouble = say.GalleryRefused
		}
	})
}

func (a *app) openGallery() (*shelf, error) {
	if a.shelf != nil {
		return a.shelf, nil
	}
	s, err := openShelf(func() {
		if a.state.panes.gallery.read {
			go a.readGallery()
		}
	})
	if err == nil {
		a.shelf = s
	}
	return s, err
}

// keep puts a picture into the gallery. When there is no room, it asks first
// whether the oldest may go.
func (a *app) keep(p *picture) {
	a.withFile(p, func(blob js.Value) {
		if p.kept == keeping || a.state.panes.gallery.has(p) {
			return // pressed twice
		}
		p.kept = keeping
		p.kept = a.store(p, blob)
		a.update(func(*state) {})
	})
}

// store writes a picture's file, and returns its number in the gallery; 0 when it is
// not there.
func (a *app) store(p *picture, blob js.Value) (id int) {
	s, err := a.openGallery()
	if err != nil {
		a.remark(say.GalleryRefused)
		return 0
	}
	g := &a.state.panes.gallery
	if !g.read {
		a.readGallery()
	}
	room := len(g.kept) < mostKept
	if room {
		id, err = s.put(p.recipe.prompt, time.Now(), blob)
		room = err == nil || !full(err)
	}
	switch {
	case !room && g.oldest() != nil:
		a.update(func(s *state) { g.waiting, s.pane = p, "gallery" })
		return 0
	case err != nil || !room:
		s.close()
		a.shelf = nil // to be opened anew
		a.remark(say.GalleryRefused)
		return 0
	}
	a.readGallery()
	a.remark(say.KeptNote)
	return id
}

// makeRoom deletes the oldest and keeps the picture that found no room.
func (a *app) makeRoom() {
	p := a.state.panes.gallery.waiting
	a.update(func(s *state) { s.panes.gallery.waiting = nil })
	go func() {
		a.remove(a.state.panes.gallery.oldest())
		if p != nil {
			a.keep(p)
		}
	}()
}

// forget deletes pictures.
func (a *app) forget(list []kept) {
	list = slices.Clone(list)
	go a.remove(list)
}

func (a *app) remove(list []kept) {
	s, err := a.openGallery()
	if err == nil {
		err = s.remove(list)
	}
	a.readGallery()
	a.update(func(s *state) {
		s.panes.gallery.sure = false
		if err != nil {
			s.problem, s.note = problemOf(err), ""
		} else {
			s.note = fmt.Sprintf(say.GalleryDeleted, len(list))
		}
	})
}
