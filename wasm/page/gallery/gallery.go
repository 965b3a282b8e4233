package gallery

import (
	"fmt"
	"slices"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// collection is what is kept in this browser.
type collection struct {
	read    bool // from storage
	saved   []saved
	trouble string       // why nothing is kept
	sure    bool         // delete all was pressed once
	waiting *app.Picture // it found no room
}

// saved is a picture in the gallery.
type saved struct {
	id     int
	at     int64 // in milliseconds, as JavaScript counts
	prompt string
	file   any // a Blob: the PNG with its parameters
	bytes  int64
	url    string // of the file, while the page is open
}

// has reports whether a picture is in the gallery. What another tab has deleted is not.
func (c *collection) has(p *app.Picture) bool {
	return p.Saved > 0 && slices.ContainsFunc(c.saved, func(k saved) bool { return k.id == p.Saved })
}

// capacity is how many pictures the gallery holds; before there are more, people
// are asked whether the oldest may go.
const capacity = 200

func (c *collection) bytes() (sum int64) {
	for _, k := range c.saved {
		sum += k.bytes
	}
	return sum
}

// question asks whether the oldest may go.
func (c *collection) question() string {
	return fmt.Sprintf(words.Text.GalleryFull, len(c.saved), len(c.oldest()))
}

// oldest are those that go when room is needed: a tenth of them, at least one.
func (c *collection) oldest() []saved {
	n := max(1, len(c.saved)/10)
	if n > len(c.saved) {
		return nil
	}
	return c.saved[len(c.saved)-n:] // the newest come first
}
