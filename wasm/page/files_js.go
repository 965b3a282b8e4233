package page

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"syscall/js"

	carried "undertone/engine/recipe"
	"undertone/wasm/promise"
)

// Bounds of what is read from elsewhere.
const (
	mostFile  = 32 << 20 // bytes of a file: far beyond a picture of ours
	mostFiles = 20       // that are looked at when several are dropped at once
	mostSide  = 4096     // pixels of a side that is shown
)

// fileRead is what was read from a PNG.
type fileRead struct {
	made    carried.Parameters
	notices []carried.Notice
	data    js.Value // the file, as a Uint8Array
	w, h    uint32   // as its header says
}

// open takes over a picture with its parameters from a file; kept is its number in
// the gallery, 0 when it is not from there.
func (a *app) open(file js.Value, kept int) {
	go func() {
		if r, err := a.readFile(file); err != nil {
			a.fail(err)
		} else {
			a.take(file, r, kept, "")
		}
	}()
}

// openOne takes over the first of several files that holds parameters. all is how many
// there were.
func (a *app) openOne(files []js.Value, folders []bool, all int) {
	go func() {
		var failed error
		for i, file := range files {
			name := file.Get("name").String()
			err := error(readable(fmt.Sprintf(say.FileFolder, name)))
			if !folders[i] {
				var r fileRead
				if r, err = a.readFile(file); err == nil {
					note := ""
					if all > 1 {
						note = fmt.Sprintf(say.FileOneOf, all, name)
					}
					a.take(file, r, 0, note)
					return
				}
			}
			if failed == nil {
				failed = err
			}
		}
		a.fail(failed)
	}()
}

// readFile reads what a file says of a picture. It waits.
func (a *app) readFile(file js.Value) (r fileRead, err error) {
	m := a.state.model
	if m == nil {
		return r, readable(say.FileEarly)
	}
	if size := file.Get("size").Float(); size > mostFile {
		return r, readable(fmt.Sprintf(say.FileTooLarge, bytesText(int64(size)), bytesText(mostFile)))
	}
	buffer, err := promise.Await(context.Background(), file.Call("arrayBuffer"))
	if err != nil { // it was moved, or it is a folder that did not say so
		return r, readable(say.FileUnreadable)
	}
	r.data = js.Global().Get("Uint8Array").New(buffer)
	data := make([]byte, r.data.Length())
	js.CopyBytesToGo(data, r.data)
	if r.made, r.notices, err = carried.FromPNG(data, m.base(), m.limits(), inflate); err != nil {
		return r, err
	}
	r.w, r.h = binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	return r, nil
}

// take fills in the form from a file, and shows its picture. note is what else there
// is to say.
func (a *app) take(file js.Value, f fileRead, kept int, note string) {
	m := a.state.model
	p := f.made
	says := []string{say.Restored, note, noticesText(f.notices)}
	if p.Model != "" && (p.Model != m.Model || p.Revision != m.Revision) {
		says = append(says, fmt.Sprintf(say.OtherModel, strings.TrimSpace(p.Model+" "+p.Revision), m.Model+" "+m.Revision))
	}
	r := m.recipeOf(p.Request)
	image, ok := js.Undefined(), f.w <= mostSide && f.h <= mostSide
	if !ok {
		says = append(says, fmt.Sprintf(say.PictureLarge, f.w, f.h, mostSide))
	} else if image, ok = pixels(f.data); !ok {
		says = append(says, say.PictureDamaged)
	}
	a.update(func(s *state) {
		fresh = true
		s.form.restore(r)
		s.note, s.problem = joined(says...), nil
		if ok && s.phase != generating {
			s.picture = &picture{recipe: r, image: image, file: file, kept: kept}
			s.pictures, s.pane = []*picture{s.picture}, "picture"
		}
	})
}

// script is web/png.js: PNG files without a canvas, whose bytes some browsers blur.
func script() js.Value { return js.Global().Get("undertone").Get("png") }

// pixels decodes a PNG, a Uint8Array, to an ImageData. It waits.
func pixels(data js.Value) (image js.Value, ok bool) {
	read, err := promise.Await(context.Background(), script().Call("decode", data))
	if err != nil || read.Get("width").Int() == 0 || read.Get("height").Int() == 0 {
		return js.Undefined(), false
	}
	return js.Global().Get("ImageData").New(read.Get("data"), read.Get("width"), read.Get("height")), true
}

// inflate is the browser's way to decompress, as carried.FromPNG wants it. It waits.
func inflate(data []byte, most int) ([]byte, error) {
	packed := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(packed, data)
	got, err := promise.Await(context.Background(), script().Call("inflate", packed, most))
	if err != nil {
		return nil, err
	}
	out := make([]byte, got.Length())
	js.CopyBytesToGo(out, got)
	return out, nil
}
