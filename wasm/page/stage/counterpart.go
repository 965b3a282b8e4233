package stage

import "undertone/wasm/page/app"

// counterpart is a picture's twin without guidance, of the same seed.
type counterpart struct {
	plain *app.Picture // nil until it is made
	asked app.Recipe   // what plain was last asked for
}

// of is the twin of p, nil where there is none.
func (c *counterpart) of(p *app.Picture) *app.Picture {
	if c.plain != nil && p != nil && c.plain.Recipe.Same(p.Recipe.Plain()) {
		return c.plain
	}
	return nil
}
