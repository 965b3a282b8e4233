package gallery

import (
	"fmt"
	"slices"
	"strconv"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Gallery shows the pictures that are kept in this browser.
type Gallery struct {
	app                *app.App
	pictures           collection
	store              *store // once it is open
	open               func(file js.Value, id int)
	box, list, sum     ui.Element
	empty, trouble     ui.Element
	clear, sure        ui.Element
	ask, replace, room ui.Element
	file               ui.Element
	cards              map[int]ui.Element
	reading            bool
}

// New makes the view; open takes over a file, of which the number in the gallery is
// told, or 0.
func New(a *app.App, open func(file js.Value, id int)) *Gallery {
	v := &Gallery{app: a, open: open, cards: map[int]ui.Element{}}
	v.list = ui.El("div", ui.Attrs{{"class", "cards"}, {"role", "list"}, {"aria-label", &words.Text.TabGallery}})
	ui.Delegate(v.list, "[data-do]", v.press)
	v.sum = ui.El("p", ui.Attrs{{"class", "muted"}})
	v.empty = ui.El("p", ui.Attrs{{"class", "empty"}}, &words.Text.GalleryEmpty)
	v.trouble = ui.El("p", ui.Attrs{{"class", "muted"}})
	yes := ui.Button("secondary", &words.Text.GalleryYes, func() { v.forget(v.pictures.saved) })
	// What is pressed disappears, and the focus must not go with it.
	ask := func(sure bool, to *ui.Element) {
		a.Update(func(*app.State) { v.pictures.sure = sure })
		a.Render()
		(*to).Focus()
	}
	v.clear = ui.IconButton("quiet", "bin", &words.Text.GalleryClear, func() { ask(true, &yes) })
	v.clear.SetID("gallery-clear")
	v.sure = ui.El("div", ui.Attrs{{"class", "ask"}, {"role", "group"}, {"aria-label", &words.Text.GalleryClearSure}}, ui.El("span", nil, &words.Text.GalleryClearSure), yes,
		ui.Button("quiet", &words.Text.Cancel, func() { ask(false, &v.clear) }))
	v.ask = ui.El("p", nil)
	v.replace = ui.Button("secondary", &words.Text.GalleryFullGo, v.makeRoom)
	v.room = ui.El("div", ui.Attrs{{"class", "ask"}, {"role", "group"}, {"aria-label", &words.Text.GalleryFullGo}}, v.ask, v.replace,
		ui.Button("quiet", &words.Text.GalleryFullNo, func() { a.Update(func(*app.State) { v.pictures.waiting = nil }) }))
	v.file = ui.El("input", ui.Attrs{{"type", "file"}, {"accept", "image/png"}, {"class", "unseen"}, {"id", "open-file"}, {"tabindex", "-1"}, {"aria-hidden", "true"}})
	ui.On(v.file, "change", func(ui.Event) {
		if files := v.file.Get("files"); files.Length() > 0 {
			v.open(files.Index(0), 0)
		}
		v.file.Set("value", "")
	})
	choose := ui.IconButton("secondary", "open", &words.Text.GalleryOpen, func() { v.file.Call("click") })
	v.box = ui.El("div", ui.Attrs{{"class", "gallery"}}, v.room, v.list, v.empty, v.trouble,
		ui.El("div", ui.Attrs{{"class", "bar-row"}}, v.sum, choose, v.file, v.clear, v.sure))
	return v
}

// Box is the view's element.
func (v *Gallery) Box() ui.Element { return v.box }

// press is a button of a card.
func (v *Gallery) press(at ui.Element) {
	id, err := strconv.Atoi(at.GetAttribute("data-id"))
	i := slices.IndexFunc(v.pictures.saved, func(k saved) bool { return k.id == id })
	if err != nil || i < 0 {
		return
	}
	k := v.pictures.saved[i]
	switch at.GetAttribute("data-do") {
	case "restore":
		v.open(k.file.(js.Value), k.id)
	case "delete":
		v.forget([]saved{k})
		v.clear.Focus() // the card is gone, and the focus with it
	}
}

// React reads what is kept, when it is looked at for the first time.
func (v *Gallery) React(*app.State) {
	if !v.pictures.read && !v.reading {
		v.reading = true
		go v.load()
	}
	v.reading = v.reading && !v.pictures.read
}

// Render draws what is kept.
func (v *Gallery) Render(*app.State) {
	there := map[int]bool{}
	for i, k := range v.pictures.saved {
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
	ui.Show(v.empty, v.pictures.read && len(v.pictures.saved) == 0 && v.pictures.trouble == "")
	ui.SetText(v.trouble, v.pictures.trouble)
	ui.Show(v.trouble, v.pictures.trouble != "")
	ui.Show(v.sum, len(v.pictures.saved) > 0)
	ui.SetText(v.sum, fmt.Sprintf(words.Text.GallerySum, len(v.pictures.saved), words.Bytes(v.pictures.bytes())))
	ui.Show(v.clear, len(v.pictures.saved) > 0 && !v.pictures.sure)
	ui.Show(v.sure, len(v.pictures.saved) > 0 && v.pictures.sure)
	ui.Show(v.room, v.pictures.waiting != nil)
	ui.SetText(v.ask, v.pictures.question())
}

func orNull(v js.Value) js.Value {
	if v.IsUndefined() {
		return js.Null()
	}
	return v
}

func (v *Gallery) card(k saved) ui.Element {
	id := fmt.Sprint(k.id)
	restore := ui.El("button", ui.Attrs{{"type", "button"}, {"class", "tile"}, {"data-do", "restore"}, {"data-id", id}},
		ui.El("img", ui.Attrs{{"src", k.url}, {"alt", ""}, {"loading", "lazy"}}), ui.El("span", nil, k.prompt))
	bin := ui.El("button", ui.Attrs{{"type", "button"}, {"class", "quiet square"}, {"data-do", "delete"}, {"data-id", id}}, ui.Icon("bin"))
	return ui.El("div", ui.Attrs{{"role", "listitem"}, {"class", "entry"}}, restore, bin)
}

// name gives a card's buttons their names, in the language that is spoken now.
func (v *Gallery) name(card ui.Element, k saved) {
	when := js.Global().Get("Date").New(k.at).Call("toLocaleString", ui.Root().Get("lang")).String()
	of := fmt.Sprintf(words.Text.GalleryOf, k.prompt, when)
	buttons := card.Get("children")
	for i, text := range []string{words.Text.GalleryRestore, words.Text.GalleryDelete} {
		b := ui.Wrap(buttons.Index(i))
		ui.SetAttr(b, "aria-label", fmt.Sprintf(text, of))
		ui.SetAttr(b, "title", of)
	}
}
