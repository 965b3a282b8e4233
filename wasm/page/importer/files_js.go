package importer

import (
	"encoding/binary"
	"fmt"
	"strings"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Bounds of what is read from elsewhere.
const (
	maxFile  = 32 << 20 // bytes of a file: far beyond a picture of ours
	maxFiles = 20       // that are looked at when several are dropped at once
	maxSide  = 4096     // pixels of a side that is shown
)

// fileRead is what was read from a PNG.
type fileRead struct {
	made    recipe.Parameters
	notices []recipe.Notice
	data    js.Value // the file, as a Uint8Array
	w, h    uint32   // as its header says
}

// Open takes over a picture with its parameters from a file; saved is its number in
// the gallery, 0 when it is not from there.
func (v *Importer) Open(file js.Value, saved int) {
	go func() {
		if r, err := v.readFile(file); err != nil {
			v.app.Fail(err)
		} else {
			v.take(file, r, saved, "")
		}
	}()
}

// openOne takes over the first of several files that holds parameters. all is how many
// there were.
func (v *Importer) openOne(files []js.Value, folders []bool, all int) {
	if v.app.Edits(files[0], true) {
		v.app.ReferTo(files[0])
		return
	}
	go func() {
		var failed error
		for i, file := range files {
			name := file.Get("name").String()
			err := error(app.FileError(fmt.Sprintf(words.Text.FileFolder, name)))
			if !folders[i] {
				var r fileRead
				if r, err = v.readFile(file); err == nil {
					note := ""
					if all > 1 {
						note = fmt.Sprintf(words.Text.FileOneOf, all, name)
					}
					v.take(file, r, 0, note)
					return
				}
			}
			if failed == nil {
				failed = err
			}
		}
		if v.app.Edits(files[0], false) {
			v.app.ReferTo(files[0])
			return
		}
		v.app.Fail(failed)
	}()
}

// readFile reads what a file says of a picture. It waits.
func (v *Importer) readFile(file js.Value) (r fileRead, err error) {
	m := v.app.State.Model
	if m == nil {
		return r, app.FileError(words.Text.FileEarly)
	}
	if size := file.Get("size").Float(); size > maxFile {
		return r, app.FileError(fmt.Sprintf(words.Text.FileTooLarge, words.Bytes(int64(size)), words.Bytes(maxFile)))
	}
	buffer, err := promise.Of(file.Call("arrayBuffer"))
	if err != nil { // it was moved, or it is a folder that did not say so
		return r, app.FileError(words.Text.FileUnreadable)
	}
	r.data = js.Global().Get("Uint8Array").New(buffer)
	data := make([]byte, r.data.Length())
	js.CopyBytesToGo(data, r.data)
	if r.made, r.notices, err = recipe.FromPNG(data, m.Request(), v.app.State.Limits(), app.Inflate); err != nil {
		return r, err
	}
	r.w, r.h = binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	return r, nil
}

// take fills in the form from a file, and shows its picture. note is what else there is to
// say. It waits.
func (v *Importer) take(file js.Value, f fileRead, saved int, note string) {
	m := v.app.State.Model
	made := f.made
	says := []string{words.Text.Restored, note, NoticesText(f.notices)}
	if made.Model != "" && (made.Model != m.Model || made.Revision != m.Revision) {
		says = append(says, fmt.Sprintf(words.Text.OtherModel, strings.TrimSpace(made.Model+" "+made.Revision), m.Model+" "+m.Revision))
	}
	r := app.NewRecipe(made.Request)
	if r.Reference != nil {
		if !v.app.TurnToEditor(func() { v.take(file, f, saved, note) }) {
			return
		}
		says[0] = words.Text.ReferenceMissing
		if image, ok := v.Find(r.Reference.SHA256); ok {
			r.Reference.Image, says[0] = image, words.Text.ReferenceFound
		}
	}
	p := &app.Picture{Recipe: r, File: file, Saved: saved}
	if f.w > maxSide || f.h > maxSide {
		says = append(says, fmt.Sprintf(words.Text.PictureLarge, f.w, f.h, maxSide))
	} else if image, ok := app.DecodePNG(f.data); ok {
		p.Image = image
	} else {
		says = append(says, words.Text.PictureDamaged)
	}
	v.app.Take(p, words.Join(says...), "picture")
}
