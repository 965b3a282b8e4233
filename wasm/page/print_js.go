package page

import (
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// print is a canvas with a picture on it.
type print struct {
	canvas element
	shown  js.Value // what is on the canvas
}

func newPrint() print {
	p := print{canvas: el("canvas", attrs{"role": "img", "width": "256", "height": "256"}), shown: js.Undefined()}
	// What is on a canvas is gone when the GPU process crashes; the browser tells when
	// it can be drawn again. The picture is kept with the element.
	on(p.canvas, "contextrestored", func(dom.Event) {
		if image := p.canvas.Get("undertone"); image.Truthy() {
			again := print{canvas: p.canvas, shown: js.Undefined()}
			again.draw(image, false)
		}
	})
	return p
}

// draw puts an ImageData on the canvas, which takes the size of finished pictures, and
// the shape of previews, which are enlarged.
func (p *print) draw(image js.Value, finished bool) {
	if p.shown.Equal(image) {
		return
	}
	w, h := image.Get("width").Int(), image.Get("height").Int()
	if finished {
		p.fit(w, h)
	} else if w*p.size("height") != h*p.size("width") {
		scale := max(1, p.size("width")/w)
		p.fit(scale*w, scale*h)
	}
	p.shown = image
	p.canvas.Set("undertone", image)
	context := p.canvas.Call("getContext", "2d")
	if w == p.size("width") && h == p.size("height") {
		context.Call("putImageData", image, 0, 0)
		return
	}
	small := js.Global().Get("OffscreenCanvas").New(w, h)
	small.Call("getContext", "2d").Call("putImageData", image, 0, 0)
	context.Set("imageSmoothingQuality", "high")
	context.Call("drawImage", small, 0, 0, p.size("width"), p.size("height"))
}

// fit gives the canvas a size.
func (p *print) fit(width, height int) {
	if p.size("width") != width || p.size("height") != height {
		p.canvas.Set("width", width) // which wipes it
		p.canvas.Set("height", height)
		p.shown = js.Undefined()
	}
}

func (p *print) size(side string) int { return p.canvas.Get(side).Int() }

// tile is a small picture that can be pressed, with a line of text. Whoever holds
// a list of tiles listens to the list, not to each.
type tile struct {
	print
	button, text element
}

func newTile() *tile {
	t := &tile{print: newPrint(), text: el("span", nil)}
	t.button = el("button", attrs{"type": "button", "class": "tile"}, t.canvas, t.text)
	setAttr(t.canvas, "aria-hidden", "true") // the button has the words
	return t
}

// label says what the tile shows: shortly under it, and in full to screen readers.
func (t *tile) label(short, full string) {
	setText(t.text, short)
	setAttr(t.button, "aria-label", full)
}

// tiles is a list of them that grows and shrinks.
type tiles struct {
	box  element
	list []*tile
}

// newTiles makes a list; press gets the number of the tile that was pressed.
func newTiles(class string, label *string, press func(i int)) *tiles {
	v := &tiles{box: el("div", attrs{"class": "tiles " + class, "role": "group", "aria-label": label})}
	delegate(v.box, ".tile", func(at element) {
		for i, t := range v.list {
			if t.button.Equal(at.Value) {
				press(i)
				return
			}
		}
	})
	return v
}

// need makes the list n tiles long.
func (v *tiles) need(n int) {
	for len(v.list) < n {
		t := newTile()
		add(v.box, t.button)
		v.list = append(v.list, t)
	}
	for len(v.list) > n {
		v.list[len(v.list)-1].button.Call("remove")
		v.list = v.list[:len(v.list)-1]
	}
}
