package page

import (
	"fmt"
	"slices"
	"time"
)

// panesState is what the stage's views beside the picture show.
type panesState struct {
	compare comparison
	sweep   sheet
	steps   scrub
	gallery gallery
	how     how
	fault   *problem // the last one, even when it was dismissed
	note    string   // what became of the last copy, link or file; under the picture
}

// comparison is the picture beside the same without guidance.
type comparison struct {
	pair  bool     // side by side; else one over the other, with a divider
	at    float64  // where the divider is, 0 … 1
	plain *picture // without guidance; nil until it is made
	asked recipe   // what plain was last asked for
}

// fits reports whether plain is the counterpart of p.
func (c *comparison) fits(p *picture) bool {
	return c.plain != nil && p != nil && c.plain.recipe.same(p.recipe.plain())
}

// scrub is a picture's way from noise.
type scrub struct {
	of *picture
	at int // 0 … len(of.previews), which is the picture itself
}

// gallery is what is kept in this browser.
type gallery struct {
	read    bool // from storage
	kept    []kept
	trouble string   // why nothing is kept
	sure    bool     // delete all was pressed once
	waiting *picture // it found no room
}

// kept is a picture in the gallery.
type kept struct {
	id     int
	at     time.Time
	prompt string
	file   any // a Blob: the PNG with its parameters
	bytes  int64
	url    string // of the file, while the page is open
}

// keeping stands for the number of a picture that is being written to the gallery.
const keeping = -1

// has reports whether a picture is in the gallery. What another tab has deleted is not.
func (g *gallery) has(p *picture) bool {
	return p.kept > 0 && slices.ContainsFunc(g.kept, func(k kept) bool { return k.id == p.kept })
}

// mostKept is how many pictures the gallery holds; before there are more, people
// are asked whether the oldest may go.
const mostKept = 200

func (g *gallery) bytes() (sum int64) {
	for _, k := range g.kept {
		sum += k.bytes
	}
	return sum
}

// fullText asks whether the oldest may go.
func (g *gallery) fullText() string {
	return fmt.Sprintf(say.GalleryFull, len(g.kept), len(g.oldest()))
}

// oldest are those that go when room is needed: a tenth of them, at least one.
func (g *gallery) oldest() []kept {
	n := max(1, len(g.kept)/10)
	if n > len(g.kept) {
		return nil
	}
	return g.kept[len(g.kept)-n:] // the newest come first
}
