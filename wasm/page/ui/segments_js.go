package ui

// Segment is one choice of several.
type Segment struct {
	ID   string
	Text *string
}

// Segments is a row of choices of which one is taken.
type Segments struct {
	Box    Element
	fields map[string]Element
}

// NewSegments makes a row; choose gets the id of what was chosen.
func NewSegments(name string, label *string, choose func(id string), list ...Segment) *Segments {
	v := &Segments{Box: El("div", Attrs{{"class", "segments"}, {"role", "radiogroup"}, {"aria-label", label}}), fields: map[string]Element{}}
	for _, s := range list {
		f := El("input", Attrs{{"type", "radio"}, {"name", name}, {"value", s.ID}})
		On(f, "change", func(Event) { choose(s.ID) })
		Append(v.Box, El("label", nil, f, El("span", nil, s.Text)))
		v.fields[s.ID] = f
	}
	return v
}

// Choose shows which one is taken.
func (v *Segments) Choose(id string) { v.fields[id].Set("checked", true) }

// Radio adds a radio button to a row of segments.
func Radio(row Element, name, value string, title any, choose func()) Element {
	input := El("input", Attrs{{"type", "radio"}, {"name", name}, {"value", value}})
	On(input, "change", func(Event) { choose() })
	Append(row, El("label", nil, input, El("span", nil, title)))
	return input
}
