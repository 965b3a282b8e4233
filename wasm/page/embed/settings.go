package embed

import (
	"slices"
	"strconv"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

// The keys that a frame's hash has beside those of recipe.FromEmbed.
const (
	keyCompare   = "compare"   // the picture without guidance lies beside
	keyControls  = "controls"  // which controls there are
	keyModel     = "model"     // the name of one of the site's models
	keyPrecision = "precision" // bits that it spends on a weight
	keyTheme     = "theme"     // "light", "dark" or "auto"
	keyLang      = "lang"
)

var keys = []string{keyCompare, keyControls, keyModel, keyPrecision, keyTheme, keyLang}

// settings are what a host asks for, as it wrote them.
type settings struct {
	own    map[string]string // values of keys; of two, the first
	recipe string            // the rest, a hash as recipe.FromEmbed reads it
}

// split takes a frame's hash apart.
func split(hash string) settings {
	s := settings{own: map[string]string{}}
	var rest []string
	for pair := range strings.SplitSeq(strings.TrimPrefix(hash, "#"), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if !slices.Contains(keys, key) {
			rest = append(rest, pair)
		} else if _, twice := s.own[key]; !twice {
			s.own[key] = recipe.Unescape(value)
		}
	}
	s.recipe = strings.Join(rest, "&")
	return s
}

// has reports whether a bare key is set: whatever its value is, but for "false" and "none".
func (s settings) has(key string) bool {
	v, ok := s.own[key]
	return ok && v != "false" && v != "none"
}

// The controls that a host may choose among; without a choice there are all.
const (
	controlGuidance = "guidance" // presets and sliders
	controlAnother  = "another"
	controlCompare  = "compare"
	controlOpen     = "open" // the link to the full page, and what deletes the model
)

// shows reports whether there is a control.
func (s settings) shows(control string) bool {
	list, chosen := s.own[keyControls]
	return !chosen || list == "" || slices.Contains(strings.Fields(list), control)
}

// offer is the number of the model that is asked for among those that the site has, the
// first where there is no such; what is not there is told of.
func (s settings) offer(list []app.Offer) (i int, notices []recipe.Notice) {
	name, named := s.own[keyModel]
	bits, chosen := s.own[keyPrecision]
	bits = strings.ToLower(bits)
	same := func(o app.Offer) bool {
		return !named || strings.HasSuffix("/"+strings.TrimSuffix(o.Address, "/model.json"), "/"+name) || o.Model.Model == name
	}
	exact := func(o app.Offer) bool {
		n := strconv.Itoa(o.Model.Bits)
		return same(o) && (!chosen || bits == n || bits == "q"+n || bits == n+"bit")
	}
	if i = slices.IndexFunc(list, exact); i >= 0 {
		return i, nil
	}
	i = slices.IndexFunc(list, same)
	if i < 0 {
		notices = append(notices, left(keyModel, name))
	}
	if chosen {
		notices = append(notices, left(keyPrecision, bits))
	}
	return max(i, 0), notices
}

// left tells of a value that was left out.
func left(key, value string) recipe.Notice {
	const most = 40
	if r := []rune(value); len(r) > most {
		value = string(r[:most]) + "…"
	}
	return recipe.Notice{Field: recipe.Field(key), Given: value}
}
