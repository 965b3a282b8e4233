package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/wasm/engine/transfer"
	"undertone/wasm/host"
	"undertone/wasm/promise"
	"undertone/wasm/protocol"
)

// retryable is a failure that the next attempt may not meet.
type retryable struct {
	fault  *fault.Error
	after  string // Retry-After
	thrown bool   // by the browser, which does not say why
}

func (r *retryable) Error() string { return r.fault.Error() }

// keepTrying calls attempt until it succeeds, fails for good, or has failed
// transfer.MaxTries times without getting anywhere; attempt is told its number and reports whether
// it got further. Time without a network does not count: the next attempt comes
// when the network does. wait hears why nothing happens.
func keepTrying(ctx context.Context, wait func(why string), attempt func(try int) (further bool, err error)) error {
	for try := 1; ; {
		further, err := attempt(try)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped while loading")
		}
		var again *retryable
		if !errors.As(err, &again) {
			return err
		}
		if further {
			try = 1
		}
		if offline() {
			wait(protocol.WaitOffline)
			online(ctx)
			try = 1
			continue
		}
		if try == transfer.MaxTries {
			return again.fault
		}
		try++
		select {
		case <-time.After(transfer.Pause(try, again.after, time.Now())):
		case <-ctx.Done():
		}
	}
}

// offline is what the browser knows of the network; when it says that there is
// one, that may still be wrong.
func offline() bool {
	v := host.Get("navigator", "onLine")
	return v.Type() == js.TypeBoolean && !v.Bool()
}

// online waits until the browser says that there is a network. Quirk: online-in-worker,
// for which it also asks by the clock.
func online(ctx context.Context) {
	back := make(chan struct{}, 1)
	listener := js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case back <- struct{}{}:
		default:
		}
		return nil
	})
	defer listener.Release()
	js.Global().Call("addEventListener", "online", listener)
	defer js.Global().Call("removeEventListener", "online", listener)
	for offline() {
		select {
		case <-back:
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return
		}
	}
}

// response is the answer to one HTTP request.
type response struct {
	ctx      context.Context
	name     string // of what is fetched, for people
	response js.Value
	reader   js.Value
	read     bool // something has arrived
}

// fetch sends a request; cancel must be called in the end. byteRange is empty, or the
// value of the header Range. cache is the mode of fetch.
func fetch(ctx context.Context, name, address, byteRange, cache string) (l *response, cancel func(), err error) {
	ctx, stopFetch := context.WithCancel(ctx)
	abort := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { abort.Call("abort") })
	cancel = func() {
		stop()
		stopFetch()
		abort.Call("abort") // drops the connection when an error ends the reading
	}
	headers := map[string]any{}
	if byteRange != "" {
		headers["Range"] = byteRange
	}
	l = &response{ctx: ctx, name: name}
	l.response, err = l.wait(js.Global().Call("fetch", address, map[string]any{
		"signal": abort.Get("signal"), "headers": headers, "credentials": "same-origin", "cache": cache,
	}))
	return l, cancel, err
}

// wait is promise.Await that gives up on a response that has gone silent.
func (l *response) wait(p js.Value) (js.Value, error) {
	limited, cancel := context.WithTimeout(l.ctx, transfer.StallAfter)
	defer cancel()
	v, err := promise.Await(limited, p)
	switch {
	case err == nil:
		return v, nil
	case l.ctx.Err() != nil:
		return v, l.ctx.Err()
	case limited.Err() != nil:
		return v, &retryable{fault: fault.New(fault.Fetch, "%s: no byte has arrived for %v", l.name, transfer.StallAfter)}
	}
	return v, &retryable{fault: fault.Wrap(err, fault.Fetch, "%s could not be fetched", l.name), thrown: true}
}

// refused is the fault of an answer that is not the file.
func (l *response) refused() error {
	status := l.status()
	f := fault.New(fault.HTTPStatus, "%s: the server answered %d %s", l.name, status, l.response.Get("statusText").String())
	if transfer.Transient(status) {
		return &retryable{fault: f, after: l.header("Retry-After")}
	}
	return f
}

// chunk returns the next bytes, or undefined at the end. The first ones are looked
// at, so that a web page is refused before it is downloaded.
func (l *response) chunk() (js.Value, error) {
	if l.reader.IsUndefined() {
		body := l.response.Get("body")
		if !body.Truthy() {
			return js.Undefined(), nil
		}
		l.reader = body.Call("getReader")
	}
	part, err := l.wait(l.reader.Call("read"))
	if err != nil || part.Get("done").Bool() {
		return js.Undefined(), err
	}
	bytes := part.Get("value")
	if !l.read {
		l.read = true
		head := make([]byte, 64)
		n := js.CopyBytesToGo(head, bytes)
		if l.status() == 200 && transfer.LooksLikeHTML(l.header("Content-Type"), head[:n]) {
			return bytes, fault.New(fault.NotWeights, "%s: the server sent a web page in place of the file", l.name)
		}
	}
	return bytes, nil
}

func (l *response) status() int { return l.response.Get("status").Int() }

func (l *response) header(name string) string {
	if v := l.response.Get("headers").Call("get", name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// length is the announced length of the whole file, where one is told and means
// the file: a compressed answer has another.
func (l *response) length() (n int64, ok bool) {
	s := l.header("Content-Length")
	switch {
	case l.status() == 206:
		_, s, _ = strings.Cut(l.header("Content-Range"), "/")
	case l.header("Content-Encoding") != "":
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return n, err == nil
}

// fetchText fetches a small file of unknown content, once. cache is the mode of fetch.
func fetchText(ctx context.Context, address, cache string) (text []byte, err error) {
	l, cancel, err := fetch(ctx, address, address, "", cache)
	defer cancel()
	if err != nil {
		return nil, err
	}
	if l.status() != 200 {
		return nil, l.refused()
	}
	for {
		chunk, err := l.chunk()
		if err != nil || chunk.IsUndefined() {
			return text, err
		}
		if n := len(text) + chunk.Length(); n > maxText {
			return nil, fault.New(fault.ManifestInvalid, "%s has %d bytes or more, %d are allowed", address, n, maxText)
		}
		part := make([]byte, chunk.Length())
		js.CopyBytesToGo(part, chunk)
		text = append(text, part...)
	}
}
