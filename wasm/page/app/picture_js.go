package app

import (
	"strings"
	"syscall/js"
	"time"

	"undertone/wasm/host"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Blob is the picture's file, as a promise: the clipboard and the share sheet want to be
// asked while a button is being pressed, not when the file is ready.
func (p *Picture) Blob() js.Value {
	if file, ok := p.File.(js.Value); ok {
		return js.Global().Get("Promise").Call("resolve", file.Call("slice", 0, file.Get("size"), "image/png"))
	}
	return p.Result.(js.Value).Call("blob", "image/png")
}

// WithFile hands over a picture's file, when that is made; use may wait.
func (a *App) WithFile(p *Picture, use func(blob js.Value)) {
	if p == nil {
		return
	}
	go func() {
		blob, err := promise.Of(p.Blob())
		if err != nil {
			a.Fail(err)
			return
		}
		use(blob)
	}()
}

// Download writes a file, which is promised, to the person's downloads.
func (a *App) Download(promised js.Value, name string) {
	go func() {
		blob, err := promise.Of(promised)
		if err != nil {
			a.Fail(err)
			return
		}
		url := js.Global().Get("URL").Call("createObjectURL", blob)
		ui.El("a", ui.Attrs{{"href", url.String()}, {"download", name}}).Click()
		// The browser reads the address while it starts the download.
		time.Sleep(10 * time.Second)
		js.Global().Get("URL").Call("revokeObjectURL", url)
	}()
}

// CopyText puts a text on the clipboard, and says good when it is there.
func (a *App) CopyText(text, good string) {
	a.Copy(func(clipboard js.Value) js.Value { return clipboard.Call("writeText", text) }, good)
}

// Copy says whether a promise of the clipboard came true. There may be no clipboard, or
// none for pictures: what ask throws is a refusal.
func (a *App) Copy(ask func(clipboard js.Value) js.Value, good string) {
	defer func() {
		if recover() != nil {
			a.Say(words.Text.CopyRefused)
		}
	}()
	written := ask(host.Get("navigator", "clipboard"))
	go func() {
		if _, err := promise.Of(written); err != nil {
			a.Say(words.Text.CopyRefused)
			return
		}
		a.Say(good)
	}()
}

// png is web/png.js: PNG files without a canvas, whose bytes some browsers blur.
func png() js.Value { return js.Global().Get("undertone").Get("png") }

// EncodePNG writes an ImageData as a PNG without parameters, at once and uncompressed:
// what compresses in a browser has to be waited for.
func EncodePNG(image js.Value) []byte {
	bytes := png().Call("encodeNow", image)
	file := make([]byte, bytes.Length())
	js.CopyBytesToGo(file, bytes)
	return file
}

// DecodePNG reads the pixels of a PNG, a Uint8Array, as an ImageData. It waits.
func DecodePNG(data js.Value) (image js.Value, ok bool) {
	read, err := promise.Of(png().Call("decode", data))
	if err != nil || read.Get("width").Int() == 0 || read.Get("height").Int() == 0 {
		return js.Undefined(), false
	}
	return js.Global().Get("ImageData").New(read.Get("data"), read.Get("width"), read.Get("height")), true
}

// TurnToEditor chooses a model that edits, which is then loaded if another was, and reports
// whether it did, or had to. While something runs it does nothing, and again is called later.
func (a *App) TurnToEditor(again func()) bool {
	i := a.State.Editor()
	if i >= 0 && i != a.State.Offer {
		if !a.idle() {
			a.Later(again)
			return false
		}
		a.Pick(i, a.State.Phase == Ready)
	}
	return i >= 0
}

// Refer takes the pixels of a picture, an ImageData, as those to edit, by a model that edits;
// given says that they are from a file, and not shown yet.
func (a *App) Refer(image any, given bool) {
	if !a.TurnToEditor(func() { a.Refer(image, given) }) {
		return
	}
	a.Later(nil)
	a.Update(func(s *State) {
		ui.Overwrite()
		s.Form.Refer(image)
		s.refer(given)
	})
	ui.ByID("prompt").Focus()
}

// ReferTo is Refer for a file of any picture that the browser shows. Where the form asks for
// one, its instruction stays.
func (a *App) ReferTo(file js.Value) {
	go func() {
		image, err := promise.Of(js.Global().Get("undertone").Get("picture").Invoke(file))
		if err != nil {
			p := ProblemOf(err)
			p.Reason, p.Translated = p.Message, true
			p.Message, p.Advice = words.Text.ReferenceBad, words.Text.ReferenceAdvice
			a.Update(func(s *State) { s.Problem, s.Note = p, "" })
			return
		}
		if r := a.State.Form.Reference; a.State.Form.Missing() {
			a.Update(func(s *State) {
				s.Form.Reference = &Reference{Reference: r.Reference, Image: image}
				s.refer(true)
			})
		} else {
			a.Refer(image, true)
		}
	}()
}

// Edits reports whether a dropped file is a picture to edit: one that the form asks for, or
// any where there is a model that edits.
func (a *App) Edits(file js.Value, asked bool) bool {
	return a.State.Editor() >= 0 && (!asked || a.State.Form.Missing()) && strings.HasPrefix(file.Get("type").String(), "image/")
}

// Bytes is data as JavaScript has it, a Uint8Array.
func Bytes(data []byte) js.Value {
	bytes := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(bytes, data)
	return bytes
}

// Inflate is the browser's way to decompress, as recipe.FromPNG wants it. It waits.
func Inflate(data []byte, most int) ([]byte, error) {
	got, err := promise.Of(png().Call("inflate", Bytes(data), most))
	if err != nil {
		return nil, err
	}
	out := make([]byte, got.Length())
	js.CopyBytesToGo(out, got)
	return out, nil
}
