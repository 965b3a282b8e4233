package ui

// Thumbnail is a small picture that can be pressed, with a line of text. Whoever holds
// a list of them listens to the list, not to each.
type Thumbnail struct {
	Canvas
	Button, text Element
}

func newThumbnail() *Thumbnail {
	t := &Thumbnail{Canvas: NewCanvas(), text: El("span", nil)}
	t.Button = El("button", Attrs{{"type", "button"}, {"class", "tile"}}, t.Canvas.Element, t.text)
	SetAttr(t.Canvas.Element, "aria-hidden", "true") // the button has the words
	return t
}

// Label says what the tile shows: shortly under it, and in full to screen readers.
func (t *Thumbnail) Label(short, full string) {
	SetText(t.text, short)
	SetAttr(t.Button, "aria-label", full)
}

// Thumbnails is a list of them that grows and shrinks.
type Thumbnails struct {
	Box  Element
	List []*Thumbnail
}

// NewThumbnails makes a list; press gets the number of the tile that was pressed.
func NewThumbnails(class string, label *string, press func(i int)) *Thumbnails {
	v := &Thumbnails{Box: El("div", Attrs{{"class", "tiles " + class}, {"role", "group"}, {"aria-label", label}})}
	Delegate(v.Box, ".tile", func(at Element) {
		for i, t := range v.List {
			if t.Button.Equal(at.Value) {
				press(i)
				return
			}
		}
	})
	return v
}

// Need makes the list n pictures long.
func (v *Thumbnails) Need(n int) {
	for len(v.List) < n {
		t := newThumbnail()
		Append(v.Box, t.Button)
		v.List = append(v.List, t)
	}
	for len(v.List) > n {
		v.List[len(v.List)-1].Button.Call("remove")
		v.List = v.List[:len(v.List)-1]
	}
}
