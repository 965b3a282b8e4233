package session

import (
	"fmt"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/engine/tinyjson"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Session lies in sessionStorage: this tab's alone, and gone with it. Only a reload takes
// it over; other ways to the page, links above all, begin afresh.
type Session struct {
	app  *app.App
	done bool // what was kept is taken over
}

// key is the name in sessionStorage.
const key = "undertone-kept"

// saved is what lies there, as JSON.
type saved struct {
	Form    string `json:"form"` // the recipe, as links hold it
	Guided  bool   `json:"guided"`
	Muted   []bool `json:"muted"` // of every direction
	Locked  bool   `json:"locked"`
	Each    int    `json:"each"`
	Model   string `json:"model,omitempty"`   // the address of the site's
	Own     string `json:"own,omitempty"`     // the title of a person's own
	Picture string `json:"picture,omitempty"` // a PNG with its parameters, in base64

	Edits     bool    `json:"edits,omitempty"` // the form is an edit, of this strength
	Strength  float64 `json:"strength,omitempty"`
	Made      bool    `json:"made,omitempty"`      // the picture was edited from the same one
	Reference string  `json:"reference,omitempty"` // which is such a PNG too
	Given     bool    `json:"given,omitempty"`     // and is from a file
}

// maxPixels is the largest picture that is carried over.
const maxPixels = 1 << 20

// New takes over what was saved, once the model is known, and saves when the page goes.
func New(a *app.App) *Session {
	v := &Session{app: a}
	ui.On(ui.Window, "pagehide", func(ui.Event) {
		if v.done {
			v.save()
		}
	})
	a.React(v.react)
	return v
}

// save writes. It must not wait: the page is gone when it returns.
func (v *Session) save() {
	s := &v.app.State
	f := s.Form
	k := saved{Form: recipe.Hash(f.Request()), Guided: f.Guided, Muted: f.Muted[:len(f.Guidance)], Locked: f.Locked, Each: f.Each, Picture: v.picture(s.Picture)}
	if o := s.Offers[s.Offer]; o.Own() {
		k.Own = o.Title
	} else {
		k.Model = o.Address
	}
	if f.Reference != nil {
		k.Edits, k.Strength, k.Given, k.Made = true, f.Strength, f.Reference.Given, s.Picture != nil && s.Picture.Recipe.Reference == f.Reference
		if image, ok := f.Reference.Image.(js.Value); ok {
			k.Reference = encode(pixels(image))
		}
	}
	if !v.write(k) {
		k.Picture, k.Reference = "", ""
		v.write(k)
	}
}

// write reports whether there was room; storage that is refused throws.
func (v *Session) write(k saved) (ok bool) {
	defer func() { _ = recover() }()
	text, err := tinyjson.Marshal(k)
	if err != nil {
		return false
	}
	ui.Storage("sessionStorage").Call("setItem", key, string(text))
	return true
}

// picture is the picture as a PNG with its parameters, in base64; "" if there is
// none, or where it cannot be had at once.
func (v *Session) picture(p *app.Picture) (text string) {
	defer func() {
		if recover() != nil {
			text = ""
		}
	}()
	if p == nil {
		return ""
	}
	file := pixels(p.Image.(js.Value))
	if file == nil {
		return ""
	}
	made := recipe.Parameters{Request: p.Recipe.Reduced().Request(), Model: v.app.State.Model.Model, Revision: v.app.State.Model.Revision}
	if p.Result != nil {
		if err := app.Decode(p.Result.(js.Value).Get("parameters"), &made); err != nil {
			return ""
		}
	}
	out, err := recipe.WritePNG(file, made)
	if err != nil {
		return ""
	}
	return encode(out)
}

// pixels are an image's as a PNG, nil of one that is too large.
func pixels(image js.Value) []byte {
	if image.Get("width").Int()*image.Get("height").Int() > maxPixels {
		return nil
	}
	return app.EncodePNG(image)
}

// react takes over what was saved, after a reload only.
func (v *Session) react(s *app.State) {
	if v.done || s.Model == nil {
		return
	}
	v.done = true
	k, ok := load()
	if !ok {
		return
	}
	v.restore(s, k)
	go v.show(&k, s.Form.Reference)
}

// restore fills in the form.
func (v *Session) restore(s *app.State, k saved) {
	s.Return(k.Model)
	q, _, ok := recipe.FromHash(k.Form, s.Model.Request(), s.Model.Limits())
	if !ok {
		return
	}
	untouched := s.Form.Made()
	s.Form.Restore(app.NewRecipe(q))
	s.Form.Guided, s.Form.Locked = k.Guided && len(q.Guidance) > 0, k.Locked
	if k.Edits && s.Model.Edits != nil {
		s.Form.Reference, s.Form.Strength = &app.Reference{Given: k.Given}, k.Strength
	}
	if len(k.Muted) == len(q.Guidance) {
		copy(s.Form.Muted[:], k.Muted)
	}
	if k.Each == 2 || k.Each == 4 {
		s.Form.Each = k.Each
	}
	if k.Picture != "" || !s.Form.Made().Same(untouched) {
		s.Note = words.Text.AfterReload
	}
	if k.Own != "" {
		s.Note = fmt.Sprintf(words.Text.AfterReloadOwn, k.Own)
	}
}

// load reads what was kept, if the page was loaded by a reload.
func load() (k saved, ok bool) {
	defer func() {
		if recover() != nil { // storage is refused
			ok = false
		}
	}()
	how := js.Global().Get("performance").Call("getEntriesByType", "navigation")
	text := ui.Storage("sessionStorage").Call("getItem", key)
	if how.Length() == 0 || how.Index(0).Get("type").String() != "reload" || text.Type() != js.TypeString {
		return k, false
	}
	return k, tinyjson.Unmarshal([]byte(text.String()), &k) == nil
}

// show puts the pictures back in their places: the one to edit, and the one that is shown.
func (v *Session) show(k *saved, edited *app.Reference) {
	if image, ok := app.DecodePNG(app.Bytes(decode(k.Reference))); ok && edited != nil {
		v.app.Update(func(*app.State) { edited.Image = image })
	}
	m, data := v.app.State.Model, decode(k.Picture)
	made, _, err := recipe.FromPNG(data, m.Request(), m.Limits(), app.Inflate)
	if err != nil {
		return
	}
	bytes := app.Bytes(data)
	file := js.Global().Get("Blob").New([]any{bytes}, map[string]any{"type": "image/png"})
	image, ok := app.DecodePNG(bytes)
	if !ok {
		return
	}
	r := app.NewRecipe(made.Request)
	if k.Made {
		r.Reference = edited
	}
	v.app.Update(func(s *app.State) {
		if s.Picture == nil && s.Phase != app.Generating {
			s.Show(&app.Picture{Recipe: r, Image: image, File: file, Back: true})
		}
	})
}

// encode and decode are base64 by the browser, whose functions take a text with a character
// of a code up to 255 for each byte.
func encode(data []byte) string {
	text := make([]rune, len(data))
	for i, b := range data {
		text[i] = rune(b)
	}
	return js.Global().Call("btoa", string(text)).String()
}

// decode returns nil for what is no base64.
func decode(text string) (data []byte) {
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	for _, r := range js.Global().Call("atob", text).String() {
		data = append(data, byte(r))
	}
	return data
}
