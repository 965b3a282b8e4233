package stage

import (
	"slices"
	"time"

	"undertone/wasm/page/app"
)

// The session's pictures are kept until there are more of them, or larger ones.
const (
	mostKept   = 30
	mostPixels = 16 << 20 // of all together, at four bytes each: 64 MiB, and again on the strip
	// One that follows so soon and differs in its guidance or size alone, as while a slider
	// moves, takes the place of the one before.
	soon = 1500 * time.Millisecond
)

// history is the session's pictures, the oldest first.
type history struct {
	list []*app.Picture
	last int64 // when the latest came, in milliseconds, as in app.Meter
}

// add takes in a picture that was drawn; one that is there already stays where it is.
func (h *history) add(p *app.Picture, now time.Time) {
	if slices.Contains(h.list, p) {
		return
	}
	if n := len(h.list); n > 0 && now.UnixMilli()-h.last < soon.Milliseconds() && h.list[n-1].Recipe.Prompt == p.Recipe.Prompt && h.list[n-1].Recipe.Seed == p.Recipe.Seed {
		h.list = h.list[:n-1]
	}
	h.last = now.UnixMilli()
	h.list = append(h.list, p)
	for len(h.list) > 2 && (len(h.list) > mostKept || h.pixels() > mostPixels) {
		h.list = slices.Delete(h.list, 0, 1)
	}
}

func (h *history) pixels() (n int) {
	for _, p := range h.list {
		n += p.Recipe.Size.Width * p.Recipe.Size.Height
	}
	return n
}

// beside is the picture so many places after another, nil where there is none. One that is not
// among them, as a file's, comes after the last.
func (h *history) beside(p *app.Picture, places int) *app.Picture {
	i := slices.Index(h.list, p)
	if i < 0 {
		i = len(h.list)
	}
	if at := i + places; at >= 0 && at < len(h.list) {
		return h.list[at]
	}
	return nil
}
