package page

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"syscall/js"

	"honnef.co/go/js/dom/v2"

	carried "undertone/engine/recipe"
)

// keeper carries what people have before them over a reload: what the form says and
// the last picture. A browser that has taken the GPU away for good gives it back only
// to a page that was loaded anew. It lies in sessionStorage: this tab's alone, and
// gone with it. Other ways to the page, links above all, begin afresh.
type keeper struct {
	app  *app
	done bool // what was kept is taken over
}

// keptKey is the name in sessionStorage.
const keptKey = "undertone-kept"

// keptState is what lies there, as JSON.
type keptState struct {
	Form    string `json:"form"` // the recipe, as links hold it
	Guided  bool   `json:"guided"`
	Locked  bool   `json:"locked"`
	Each    int    `json:"each"`
	Picture string `json:"picture,omitempty"` // a PNG with its parameters, in base64
}

// keptPixels is the largest picture that is carried over.
const keptPixels = 1 << 20

func newKeeper(a *app) *keeper {
	v := &keeper{app: a}
	on(dom.GetWindow(), "pagehide", func(dom.Event) {
		if v.done {
			v.keep()
		}
	})
	return v
}

// reload loads the page anew, which keeps what the keeper keeps.
func reload() { js.Global().Get("location").Call("reload") }

// keep writes. It must not wait: the page is gone when it returns.
func (v *keeper) keep() {
	s := &v.app.state
	f := s.form
	q := carried.Request{Prompt: f.prompt, Seed: uint32(typed(f.seed)), Steps: int(typed(f.steps)), Size: f.size, CFG: typed(f.cfg)}
	for _, t := range f.terms {
		q.Guidance = append(q.Guidance, carried.Term{Positive: t.positive, Negative: t.negative, Weight: typed(t.weight), Head: typed(t.head), Schedule: t.schedule})
	}
	k := keptState{Form: carried.Hash(q), Guided: f.guided, Locked: f.locked, Each: f.each, Picture: v.picture(s.picture)}
	if !v.write(k) {
		k.Picture = ""
		v.write(k)
	}
}

// typed is a number that was typed, or 0 where that is none.
func typed(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// write reports whether there was room; storage that is refused throws.
func (v *keeper) write(k keptState) (ok bool) {
	defer func() { _ = recover() }()
	text, err := json.Marshal(k)
	if err != nil {
		return false
	}
	storage("sessionStorage").Call("setItem", keptKey, string(text))
	return true
}

// picture is the picture as a PNG with its parameters, in base64; "" if there is
// none, or where it cannot be had at once.
func (v *keeper) picture(p *picture) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	if p == nil {
		return ""
	}
	image := p.image.(js.Value)
	w, h := image.Get("width").Int(), image.Get("height").Int()
	if w*h > keptPixels {
		return ""
	}
	// At once: what compresses in a browser has to be waited for.
	bytes := script().Call("encodeNow", image)
	file := make([]byte, bytes.Length())
	js.CopyBytesToGo(file, bytes)
	made := carried.Parameters{Request: p.recipe.carried(), Model: v.app.state.model.Model, Revision: v.app.state.model.Revision}
	if p.result != nil {
		if err := decode(p.result.(js.Value).Get("parameters"), &made); err != nil {
			return ""
		}
	}
	out, err := carried.WritePNG(file, made)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(out)
}

// render takes over what was kept, once the model is known, after a reload only.
func (v *keeper) render(s *state) {
	if v.done || s.model == nil {
		return
	}
	v.done = true
	k, ok := broughtOver()
	if !ok {
		return
	}
	v.app.update(func(s *state) {
		q, _, ok := carried.FromHash(k.Form, s.model.base(), s.model.limits())
		if !ok {
			return
		}
		untouched := s.form.made()
		s.form.restore(s.model.recipeOf(q))
		s.form.guided, s.form.locked = k.Guided && len(q.Guidance) > 0, k.Locked
		if k.Each == 2 || k.Each == 4 {
			s.form.each = k.Each
		}
		if k.Picture != "" || !s.form.made().same(untouched) {
			s.note = say.AfterReload
		}
	})
	if k.Picture != "" {
		go v.show(k.Picture)
	}
}

// broughtOver reads what was kept, if the page was loaded by a reload.
func broughtOver() (k keptState, ok bool) {
	defer func() {
		if recover() != nil { // storage is refused
			ok = false
		}
	}()
	how := js.Global().Get("performance").Call("getEntriesByType", "navigation")
	text := storage("sessionStorage").Call("getItem", keptKey)
	if how.Length() == 0 || how.Index(0).Get("type").String() != "reload" || text.Type() != js.TypeString {
		return k, false
	}
	return k, json.Unmarshal([]byte(text.String()), &k) == nil
}

// show puts the picture back in its place.
func (v *keeper) show(text string) {
	m := v.app.state.model
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return
	}
	made, _, err := carried.FromPNG(data, m.base(), m.limits(), inflate)
	if err != nil {
		return
	}
	bytes := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(bytes, data)
	file := js.Global().Get("Blob").New([]any{bytes}, map[string]any{"type": "image/png"})
	image, ok := pixels(bytes)
	if !ok {
		return
	}
	v.app.update(func(s *state) {
		if s.picture == nil && s.phase != generating {
			s.picture = &picture{recipe: m.recipeOf(made.Request), image: image, file: file}
			s.pictures = []*picture{s.picture}
		}
	})
}
