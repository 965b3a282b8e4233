package main

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/host"
	"undertone/wasm/promise"
)

// store keeps the pieces of weight files on this machine (web/store.js says where
// and how). Whatever the browser has against it, the model is loaded all the same:
// refused remembers why, and from then on nothing is written. A nil store keeps
// nothing.
type store struct {
	js      js.Value
	deleted int  // deletions that were known when loading began
	wrote   bool // something, so that the browser lets things be kept
	gone    bool // what was written has been deleted, whether that was told or not
	refused *fault.Error
}

// openStore makes the store of one load.
func openStore() *store {
	s := &store{js: js.Global().Get("undertone").Get("store")}
	s.deleted = s.js.Call("deleted").Int()
	if !host.Get("navigator", "locks").Truthy() || !host.Get("navigator", "storage").Truthy() {
		s.refused = fault.New(fault.StorageRefused, "the browser offers no storage here")
	}
	return s
}

// read returns a verified piece; false where there is none. A store that takes nothing
// more may still have some.
func (s *store) read(ctx context.Context, hash string, length int64) (js.Value, bool) {
	if s == nil {
		return js.Undefined(), false
	}
	piece, err := promise.Await(ctx, s.js.Call("read", hash, length))
	return piece, err == nil && piece.Truthy()
}

// write keeps a piece, and reports whether it could.
func (s *store) write(ctx context.Context, hash string, piece js.Value) bool {
	if !s.writable() {
		return false
	}
	_, err := promise.Await(ctx, s.js.Call("write", hash, piece))
	return s.accept(err)
}

// writable is false after a refusal, and after a deletion, which means what it says.
func (s *store) writable() bool {
	return s != nil && s.refused == nil && !s.gone && s.js.Call("deleted").Int() == s.deleted
}

// accept takes note of a refusal.
func (s *store) accept(err error) bool {
	var thrown js.Error
	switch {
	case err == nil:
		s.wrote = true
		return true
	case !errors.As(err, &thrown): // aborted
	case !s.writable(): // deleted under our hands
	case missing(thrown) && s.wrote: // so is this, before it was told
		s.gone = true
	case thrown.Value.Get("name").String() == "QuotaExceededError":
		s.refused = fault.Wrap(err, fault.StorageFull, "the browser has no room left to keep the weights")
	default:
		s.refused = fault.Wrap(err, fault.StorageRefused, "the browser does not let the weights be kept")
	}
	return false
}

// remember notes the model of an address, before its first piece is written, and
// again when it is complete: until then, an older version stays.
func (s *store) remember(ctx context.Context, address string, manifest []byte, complete bool) {
	if !s.writable() {
		return
	}
	for try := 1; ; try++ {
		_, err := promise.Await(ctx, s.js.Call("remember", address, string(manifest), complete))
		// Another tab may be deleting while this one begins.
		if thrown, ok := err.(js.Error); !ok || !missing(thrown) || s.wrote || try == 3 {
			s.accept(err)
			return
		}
		time.Sleep(lookEvery)
	}
}

// missing tells that a file or folder was not there, although it had just been made.
func missing(e js.Error) bool { return e.Value.Get("name").String() == "NotFoundError" }

// recall returns the manifest that was noted for an address, or nil.
func (s *store) recall(ctx context.Context, address string) []byte {
	if s == nil || s.refused != nil {
		return nil
	}
	text, err := promise.Await(ctx, s.js.Call("recall", address))
	if err != nil || text.Type() != js.TypeString {
		return nil
	}
	return []byte(text.String())
}

// sweep removes what no model lists any more.
func (s *store) sweep(ctx context.Context) {
	if s.writable() {
		_, _ = promise.Await(ctx, s.js.Call("sweep")) // the next load tries again
	}
}

// present is how many bytes of a file are there, unverified.
func (s *store) present(ctx context.Context, f *weights.File) int64 {
	var list []any
	for i, hash := range f.Pieces {
		list = append(list, []any{hash, pieceLength(f, i)})
	}
	return s.count(ctx, list)
}

// presentPiece tells whether piece i of a file is there, unverified.
func (s *store) presentPiece(ctx context.Context, f *weights.File, i int) bool {
	return s.presentBytes(ctx, f.Pieces[i], pieceLength(f, i))
}

// presentBytes tells whether a piece of this hash and length is there, unverified.
func (s *store) presentBytes(ctx context.Context, hash string, length int64) bool {
	return s.count(ctx, []any{[]any{hash, length}}) == length
}

// count is how many bytes of a list of hashes and lengths are there.
func (s *store) count(ctx context.Context, list []any) int64 {
	n, err := promise.Await(ctx, s.js.Call("present", list))
	if err != nil {
		return 0
	}
	return int64(n.Float())
}

// How long a tab waits for another one that downloads the same file: until
// nothing has arrived there for patience.
const (
	lookEvery = 400 * time.Millisecond
	patience  = 30 * time.Second
)

// hold waits until no other tab fetches what has this name, and tells waiting how far that
// one is, of which present tells. A tab that makes no progress, being frozen perhaps, is
// not waited for: pieces are named by their content, so two writers do no harm.
func (s *store) hold(ctx context.Context, name string, present func() int64, waiting func(done int64)) (release func()) {
	if !s.writable() {
		return func() {}
	}
	abort := js.Global().Get("AbortController").New()
	type outcome struct {
		release js.Value
		err     error
	}
	got := make(chan outcome, 1)
	go func() {
		v, err := promise.Await(context.Background(), s.js.Call("hold", name, abort.Get("signal")))
		got <- outcome{v, err}
	}()
	take := func(o outcome) func() {
		if o.err == nil {
			return func() { o.release.Invoke() }
		}
		return func() {} // stopped, or refused: then without a lock
	}
	last, since := int64(-1), time.Now()
	for {
		select {
		case o := <-got:
			return take(o)
		case <-ctx.Done():
			abort.Call("abort")
			return take(<-got)
		case <-time.After(lookEvery):
			switch n := present(); {
			case n != last:
				last, since = n, time.Now()
				waiting(n)
			case time.Since(since) > patience:
				abort.Call("abort")
				return take(<-got)
			}
		}
	}
}
