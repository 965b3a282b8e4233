package gallery

import (
	"fmt"
	"slices"
	"syscall/js"
	"time"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Has reports whether a picture is in the gallery.
func (v *Gallery) Has(p *app.Picture) bool { return v.pictures.has(p) }

// Question is what has to be decided before a picture can be kept, or "".
func (v *Gallery) Question() string {
	if v.pictures.waiting == nil {
		return ""
	}
	return v.pictures.question()
}

// load reads what is kept.
func (v *Gallery) load() {
	var list []saved
	s, err := v.database()
	if err == nil {
		list, err = s.all()
	}
	v.app.Update(func(*app.State) {
		old := v.pictures.saved
		v.pictures.read, v.pictures.saved = true, list
		for i := range list {
			if j := slices.IndexFunc(old, func(k saved) bool { return k.id == list[i].id }); j >= 0 {
				list[i].url, old[j].url = old[j].url, ""
			}
		}
		for i := range list {
			if k := &list[i]; k.url == "" {
				k.url = js.Global().Get("URL").Call("createObjectURL", k.file.(js.Value)).String()
			}
		}
		for _, k := range old {
			if k.url != "" {
				js.Global().Get("URL").Call("revokeObjectURL", k.url)
			}
		}
		v.pictures.trouble = ""
		if err != nil {
			v.pictures.trouble = words.Text.GalleryRefused
		}
	})
}

// Find looks for the picture of which the pixels have this hash. It waits.
func (v *Gallery) Find(sha256 string) (image js.Value, ok bool) {
	if !v.pictures.read {
		v.load()
	}
	var files []any
	for _, k := range v.pictures.saved {
		files = append(files, k.file)
	}
	image, err := promise.Of(js.Global().Get("undertone").Call("find", files, sha256))
	return image, err == nil && image.Truthy()
}

// database is the store, opened when it is first needed.
func (v *Gallery) database() (*store, error) {
	if v.store != nil {
		return v.store, nil
	}
	s, err := openStore(func() {
		if v.pictures.read {
			go v.load()
		}
	})
	if err == nil {
		v.store = s
	}
	return s, err
}

// Keep puts a picture into the gallery. When there is no room, it asks first
// whether the oldest may go.
func (v *Gallery) Keep(p *app.Picture) {
	v.app.WithFile(p, func(blob js.Value) {
		if p.Saved == app.Saving || v.pictures.has(p) {
			return // pressed twice
		}
		p.Saved = app.Saving
		p.Saved = v.write(p, blob)
		v.app.Update(func(*app.State) {})
	})
}

// write writes a picture's file, and returns its number in the gallery; 0 when it is
// not there.
func (v *Gallery) write(p *app.Picture, blob js.Value) (id int) {
	s, err := v.database()
	if err != nil {
		v.app.Say(words.Text.GalleryRefused)
		return 0
	}
	if !v.pictures.read {
		v.load()
	}
	room := len(v.pictures.saved) < capacity
	if room {
		id, err = s.put(p.Recipe.Prompt, time.Now(), blob)
		room = err == nil || !full(err)
	}
	switch {
	case !room && v.pictures.oldest() != nil:
		v.app.Update(func(s *app.State) { v.pictures.waiting, s.Tab = p, "gallery" })
		return 0
	case err != nil || !room:
		s.close()
		v.store = nil // to be opened anew
		v.app.Say(words.Text.GalleryRefused)
		return 0
	}
	v.load()
	v.app.Say(words.Text.KeptNote)
	return id
}

// makeRoom deletes the oldest and keeps the picture that found no room.
func (v *Gallery) makeRoom() {
	p := v.pictures.waiting
	v.app.Update(func(*app.State) { v.pictures.waiting = nil })
	go func() {
		v.remove(v.pictures.oldest())
		if p != nil {
			v.Keep(p)
		}
	}()
}

// forget deletes pictures.
func (v *Gallery) forget(list []saved) {
	list = slices.Clone(list)
	go v.remove(list)
}

func (v *Gallery) remove(list []saved) {
	s, err := v.database()
	if err == nil {
		err = s.remove(list)
	}
	v.load()
	v.app.Update(func(s *app.State) {
		v.pictures.sure = false
		if err != nil {
			s.Problem, s.Note = app.ProblemOf(err), ""
		} else {
			s.Note = fmt.Sprintf(words.Text.GalleryDeleted, len(list))
		}
	})
}
