package share

import (
	"slices"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

// tag is what another page holds of a picture, with the model of the site that made it: the
// chosen one may be another by now. The site's address ends in a slash.
func tag(s *app.State, p *app.Picture, site string) recipe.Tag {
	r := p.Recipe.Reduced()
	t := recipe.Tag{
		Site: site, Poster: r.FileName(), Request: r.Request(),
		Width: r.Size.Width, Height: r.Size.Height,
	}
	t.Attributes = recipe.Attributes(t.Request, s.Model.Description)
	i := slices.IndexFunc(s.Offers, func(o app.Offer) bool { return p.Address != "" && o.Address == p.Address })
	if i < 0 {
		i = s.Offer // as of a picture that was read from a file
	}
	if i > 0 { // the first is the element's own choice
		folder := strings.TrimSuffix(s.Offers[i].Address, "/model.json")
		folder = folder[strings.LastIndexByte(folder, '/')+1:]
		t.Attributes = append(t.Attributes, recipe.Attribute{Name: "model", Value: folder})
	}
	return t
}

// folder is the address of the folder that a page is in.
func folder(origin, page string) string {
	return origin + page[:strings.LastIndexByte(page, '/')+1]
}

// shows reports whether a picture can be given to other pages: not one of a person's own
// model, which no site has, and not one that was edited from a picture, which they have not.
func shows(s *app.State, p *app.Picture) bool {
	return p != nil && !p.Own && p.Recipe.Reference == nil && s.Model != nil && s.Offer < len(s.Offers) && !s.Offers[s.Offer].Own()
}
