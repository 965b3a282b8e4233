package stage

import "undertone/wasm/page/app"

// comparison is the picture beside the same without guidance.
type comparison struct {
	pair  bool         // side by side; else one over the other, with a divider
	at    float64      // where the divider is, 0 … 1
	plain *app.Picture // without guidance; nil until it is made
	asked app.Recipe   // what plain was last asked for
}

// fits reports whether plain is the counterpart of p.
func (c *comparison) fits(p *app.Picture) bool {
	return c.plain != nil && p != nil && c.plain.Recipe.Same(p.Recipe.Plain())
}
