package ui

import (
	"syscall/js"
)

// Canvas is a canvas with a picture on it.
type Canvas struct {
	Element Element
	shown   js.Value // what is on it
}

// NewCanvas makes an empty one.
func NewCanvas() Canvas {
	c := Canvas{Element: El("canvas", Attrs{{"role", "img"}, {"width", "256"}, {"height", "256"}}), shown: js.Undefined()}
	// What is on a canvas is gone when the GPU process crashes; the browser tells when
	// it can be drawn again. The picture is kept with the element.
	On(c.Element, "contextrestored", func(Event) {
		if image := c.Element.Get("undertone"); image.Truthy() {
			again := Canvas{Element: c.Element, shown: js.Undefined()}
			again.Draw(image, false)
		}
	})
	return c
}

// Draw puts an ImageData on the canvas, which takes the size of finished pictures, and
// the shape of previews, which are enlarged.
func (c *Canvas) Draw(image js.Value, finished bool) {
	if c.shown.Equal(image) {
		return
	}
	w, h := image.Get("width").Int(), image.Get("height").Int()
	if finished {
		c.Fit(w, h)
	} else if w*c.size("height") != h*c.size("width") {
		scale := max(1, c.size("width")/w)
		c.Fit(scale*w, scale*h)
	}
	c.shown = image
	c.Element.Set("undertone", image)
	context := c.Element.Call("getContext", "2d")
	if w == c.size("width") && h == c.size("height") {
		context.Call("putImageData", image, 0, 0)
		return
	}
	small := js.Global().Get("OffscreenCanvas").New(w, h)
	small.Call("getContext", "2d").Call("putImageData", image, 0, 0)
	context.Set("imageSmoothingQuality", "high")
	context.Call("drawImage", small, 0, 0, c.size("width"), c.size("height"))
}

// Fit gives the canvas a size.
func (c *Canvas) Fit(width, height int) {
	if c.size("width") != width || c.size("height") != height {
		c.Element.Set("width", width) // which wipes it
		c.Element.Set("height", height)
		c.shown = js.Undefined()
	}
}

func (c *Canvas) size(side string) int { return c.Element.Get(side).Int() }
