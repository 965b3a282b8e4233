package opener

import (
	"fmt"
	"slices"
	"strings"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// mostFiles of a folder that was dropped are looked for; the API names the limit.
const mostFiles = 5000

// chose takes over what a chooser of the browser's has: files, or one folder.
func (v *Opener) chose(input ui.Element) {
	list := input.Get("files")
	var folder entry
	for i := range list.Length() {
		file := list.Index(i)
		name := file.Get("name").String()
		if path := file.Get("webkitRelativePath"); path.Type() == js.TypeString && path.String() != "" {
			folder.name, _, _ = strings.Cut(path.String(), "/")
			folder.take(file, file)
			continue
		}
		v.addFile(name, file)
	}
	v.addFolder(folder)
	input.Set("value", "") // or the same could not be chosen again
	v.identify()
}

// take puts a file into a folder.
func (e *entry) take(given, file js.Value) {
	e.files = append(e.files, given)
	e.bytes += int64(file.Get("size").Float())
}

func (v *Opener) addFile(name string, file js.Value) {
	e := entry{name: name}
	e.take(file, file)
	e.key = fmt.Sprint(name, e.bytes, file.Get("lastModified"))
	v.add(e)
}

func (v *Opener) addFolder(e entry) {
	if len(e.files) > 0 {
		e.key = fmt.Sprint(e.name, "/", len(e.files), e.bytes)
		v.add(e)
	}
}

// add puts something new to what was chosen.
func (v *Opener) add(e entry) {
	v.remark = ""
	if slices.ContainsFunc(v.entries, func(x entry) bool { return x.key == e.key }) {
		v.remark = fmt.Sprintf(words.Text.OpenTwice, e.name)
		return
	}
	v.entries = append(v.entries, e)
}

// addAddress takes over what was typed.
func (v *Opener) addAddress() {
	text, ok := address(v.address.Get("value").String())
	if !ok {
		v.remark = words.Text.OpenNoAddress
		v.address.Focus()
		v.redraw()
		return
	}
	v.add(entry{name: placeName(text), key: text, files: []any{text}})
	v.address.Set("value", "")
	v.identify()
}

// remove takes something out again; the focus stays among the others.
func (v *Opener) remove(key string) {
	i := slices.IndexFunc(v.entries, func(e entry) bool { return e.key == key })
	if i < 0 {
		return
	}
	v.entries = slices.Delete(v.entries, i, i+1)
	v.remark, v.problem = "", nil
	v.identify()
	v.renderChosen()
	if n := len(v.entries); n > 0 {
		ui.Wrap(v.chosen.Get("children").Index(min(i, n-1)).Get("lastChild")).Focus()
	} else {
		ui.ByID("opener-files").Focus()
	}
}

// Dropped takes over what was dropped or pasted, if it is a model's files or a folder, or
// if the dialog is open, and reports whether it did.
func (v *Opener) Dropped(t js.Value) bool {
	items := t.Get("items")
	var files, folders []js.Value
	model := v.open()
	// Only now, not later, the browser says which of them are folders.
	for i := range items.Length() {
		item := items.Index(i)
		if item.Get("kind").String() != "file" {
			continue
		}
		if item.Get("webkitGetAsEntry").Truthy() {
			if at := item.Call("webkitGetAsEntry"); at.Truthy() && at.Get("isDirectory").Bool() {
				folders = append(folders, at)
				continue
			}
		}
		if file := item.Call("getAsFile"); file.Truthy() {
			files = append(files, file)
			model = model || means(file.Get("name").String())
		}
	}
	if len(files)+len(folders) == 0 || !model && len(files) > 0 {
		return false
	}
	v.Ask()
	for _, file := range files {
		v.addFile(file.Get("name").String(), file)
	}
	go func() {
		for _, at := range folders {
			v.walk(at)
		}
		v.identify()
	}()
	return true
}

// walk lists what lies in a folder that was dropped. It waits.
func (v *Opener) walk(at js.Value) {
	e := entry{name: at.Get("name").String()}
	list, err := promise.Of(js.Global().Get("undertone").Call("folder", at, mostFiles))
	if err != nil {
		v.problem = &app.Problem{Code: "files-gone", Message: words.Text.FileUnreadable, Reason: err.Error(), Translated: true}
		return
	}
	for i := range list.Length() {
		e.take(list.Index(i), list.Index(i).Get("file"))
	}
	if len(e.files) == 0 {
		v.problem = &app.Problem{Code: "weights-none", Message: fmt.Sprintf(words.Text.OpenEmpty, e.name), Translated: true}
	}
	v.addFolder(e)
}

// source is what was chosen, as the API takes it.
func (v *Opener) source() js.Value {
	var all []any
	for _, e := range v.entries {
		all = append(all, e.files...)
	}
	return js.ValueOf(map[string]any{"files": all})
}

// identify has the engine read what the chosen files are; what it reads of a former choice
// is given up.
func (v *Opener) identify() {
	if v.read != nil {
		v.read()
		v.read = nil
	}
	v.reading = len(v.entries) > 0
	if !v.reading {
		v.result = nil
		v.redraw()
		return
	}
	v.problem = nil
	signal, cancel := app.AbortSignal()
	v.read = cancel
	v.redraw()
	o := app.Offer{Files: v.source()}
	go func() {
		found, m, err := v.app.Identify(signal, o)
		if beside, ok := v.app.State.Beside(); err == nil && ok && alone(found) {
			beside.Adapter = v.entries[0].files[0]
			if found, m, err = v.app.Identify(signal, beside); err == nil {
				o = beside
			}
		}
		if app.Aborted(signal) {
			return // another choice is being read
		}
		v.app.Update(func(*app.State) {
			v.reading, v.read, v.result = false, nil, nil
			if v.problem = nil; err != nil {
				v.problem = app.ProblemOf(err)
			} else {
				v.result = &result{found, m, o}
			}
		})
	}()
}
