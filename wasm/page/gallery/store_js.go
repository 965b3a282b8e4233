package gallery

import (
	"errors"
	"syscall/js"
	"time"

	"undertone/wasm/host"
	"undertone/wasm/page/ui"
)

// store is the gallery's storage: an IndexedDB database of our own, with a PNG in
// every record. Its calls wait, so they belong in goroutines.
type store struct {
	db      js.Value
	channel js.Value // to the other tabs
}

const (
	databaseName = "undertone-gallery"
	storeName    = "pictures"
)

// openStore opens the database, and makes it where there is none. changed is called
// when another tab has changed it.
func openStore(changed func()) (s *store, err error) {
	defer caught(&err)
	request := ui.Storage("indexedDB").Call("open", databaseName, 1)
	upgrade := js.FuncOf(func(js.Value, []js.Value) any {
		request.Get("result").Call("createObjectStore", storeName, map[string]any{"keyPath": "id", "autoIncrement": true})
		return nil
	})
	defer upgrade.Release()
	request.Set("onupgradeneeded", upgrade)
	db, err := await(request, "onsuccess", "onerror")
	if err != nil {
		return nil, err
	}
	s = &store{db.Get("result"), host.Get("BroadcastChannel").New(databaseName)}
	s.channel.Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any { changed(); return nil }))
	return s, nil
}

// close ends the connection.
func (s *store) close() {
	s.db.Call("close")
	s.channel.Call("close")
}

// caught turns an exception of JavaScript into an error.
func caught(err *error) {
	switch thrown := recover().(type) {
	case nil:
	case js.Error:
		*err = thrown
	case *js.ValueError: // what should be there is not
		*err = thrown
	default:
		panic(thrown)
	}
}

// full reports whether an error says that there is no room.
func full(err error) bool {
	var thrown js.Error
	return errors.As(err, &thrown) && thrown.Get("name").String() == "QuotaExceededError"
}

// await waits for a request or a transaction, and returns it.
func await(v js.Value, success, failure string) (js.Value, error) {
	settled := make(chan error, 2)
	good := js.FuncOf(func(js.Value, []js.Value) any { settled <- nil; return nil })
	bad := js.FuncOf(func(js.Value, []js.Value) any {
		if thrown := v.Get("error"); thrown.Truthy() {
			settled <- js.Error{Value: thrown}
		} else {
			settled <- errors.New("the browser's storage failed")
		}
		return nil
	})
	defer good.Release()
	defer bad.Release()
	v.Set(success, good)
	v.Set(failure, bad)
	if failure == "onerror" && v.Get("onabort").Type() != js.TypeUndefined {
		v.Set("onabort", bad) // a full disk aborts without an error of the request
	}
	err := <-settled
	for _, name := range []string{success, failure, "onabort"} {
		if v.Get(name).Type() != js.TypeUndefined {
			v.Set(name, js.Null())
		}
	}
	return v, err
}

// change runs a transaction to its end: what it wrote is on the disk then.
func (s *store) change(write func(pictures js.Value)) (err error) {
	defer caught(&err) // the database may have been taken away
	t := s.db.Call("transaction", storeName, "readwrite")
	write(t.Call("objectStore", storeName))
	if _, err = await(t, "oncomplete", "onerror"); err == nil {
		s.channel.Call("postMessage", "changed")
	}
	return err
}

// put adds a picture and returns its number, from 1 on.
func (s *store) put(prompt string, at time.Time, file js.Value) (id int, err error) {
	var request js.Value
	err = s.change(func(pictures js.Value) {
		request = pictures.Call("add", map[string]any{"prompt": prompt, "at": at.UnixMilli(), "file": file})
	})
	if err == nil {
		id = request.Get("result").Int()
	}
	return id, err
}

// remove takes pictures away.
func (s *store) remove(list []saved) error {
	return s.change(func(pictures js.Value) {
		for _, k := range list {
			pictures.Call("delete", k.id)
		}
	})
}

// all lists the pictures, the newest first. A record that is not as put wrote it
// is left alone.
func (s *store) all() (list []saved, err error) {
	defer caught(&err)
	request, err := await(s.db.Call("transaction", storeName).Call("objectStore", storeName).Call("getAll"), "onsuccess", "onerror")
	if err != nil {
		return nil, err
	}
	records := request.Get("result")
	for i := records.Length() - 1; i >= 0; i-- {
		r := records.Index(i)
		file, prompt, at := r.Get("file"), r.Get("prompt"), r.Get("at")
		if !file.InstanceOf(js.Global().Get("Blob")) || prompt.Type() != js.TypeString || at.Type() != js.TypeNumber {
			continue
		}
		list = append(list, saved{
			id: r.Get("id").Int(), at: int64(at.Float()), prompt: prompt.String(),
			file: file, bytes: int64(file.Get("size").Float()),
		})
	}
	return list, nil
}
