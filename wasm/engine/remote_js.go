package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/engine/transfer"
	"undertone/wasm/promise"
)

// remote is a published file at an address. Its pieces are read in whatever order they are
// asked for; as long as they follow each other, of one answer, of which the browser takes
// no more than it is read. A browser opens few connections to a host, so that no more than
// maxAnswers are open at once.
type remote struct {
	path, address string
	given         *given
	bytes         int64  // of the whole file; 0 before the first answer
	tag           string // ETag or Last-Modified, where the server lets it be read
	whole         bool   // the server sends no parts

	answer *response
	cancel func()
	at     int64    // the place in the file of the next byte of the answer
	rest   js.Value // what has arrived of it and was not asked for yet
}

// maxAnswers is how many answers may be open at once.
const maxAnswers = 2

// readPast is how many bytes are read and left rather than asking for those behind them.
const readPast = 2 * weights.PieceSize

// begin asks for the file, so that its length is known. Errors: those of piece.
func (r *remote) begin(ctx context.Context) error {
	return r.try(ctx, func() error { return r.ask(ctx, 0) })
}

// piece reads a piece. Errors: AddressRefused, HTTPStatus, Fetch, NotWeights, RangeMissing,
// FilesGone where it is another file than before, Aborted.
func (r *remote) piece(ctx context.Context, i int, length int64) (piece js.Value, err error) {
	err = r.try(ctx, func() (err error) {
		if r.answer != nil && r.answer.ctx.Err() != nil {
			r.hangUp() // it belonged to a request that has ended
		}
		if start := int64(i) * weights.PieceSize; r.answer == nil || r.at > start || !r.whole && start-r.at > readPast {
			if err := r.ask(ctx, start); err != nil {
				return err
			}
		}
		piece, err = r.read(int64(i)*weights.PieceSize, length)
		return err
	})
	return piece, err
}

// try does something again while that may help, and closes the answer when it did not.
func (r *remote) try(ctx context.Context, attempt func() error) error {
	tell := func(try int, why string) { r.given.report(r.path, arrival{total: r.bytes, try: try, wait: why}) }
	return keepTrying(ctx, func(why string) { tell(0, why) }, func(try int) (further bool, err error) {
		if try > 1 {
			tell(try, "")
		}
		if err = attempt(); err != nil {
			r.hangUp()
		}
		return false, err
	})
}

// ask asks for the file from a byte on.
func (r *remote) ask(ctx context.Context, start int64) (err error) {
	r.hangUp()
	r.given.makeRoom(r)
	r.rest = js.Undefined()
	r.answer, r.cancel, err = fetch(ctx, r.path, r.address, fmt.Sprintf("bytes=%d-", start), "no-store")
	var again *retryable
	if errors.As(err, &again) && again.thrown && !offline() {
		return r.unanswered(ctx, err)
	}
	if err != nil {
		return err
	}
	bytes := int64(-1)
	switch status := r.answer.status(); {
	case status == 200:
		r.whole, r.at = true, 0
		if n, ok := r.answer.length(); ok {
			bytes = n
		}
	case status == 206:
		r.at = start
		bytes = r.extent(start)
		if from, ok := transfer.ContentStart(r.answer.header("Content-Range")); ok && from != start {
			return fault.New(fault.HTTPStatus, "%s: asked for bytes from %d, the server sent %q", r.path, start, r.answer.header("Content-Range"))
		}
	case status == 416:
		return fault.New(fault.FilesGone, "%s: the server says that there is no byte %d: it has another file there than before", r.path, start)
	default:
		return r.answer.refused()
	}
	return r.same(bytes)
}

// extent is the length of the file that an answer to a request for a part tells: browsers
// show that of the part, and that of the file only where the server lets it be read.
func (r *remote) extent(start int64) int64 {
	if n, ok := r.answer.length(); ok {
		return n
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(r.answer.header("Content-Length")), 10, 64); err == nil {
		return start + n
	}
	return -1
}

// same compares an answer with the first one.
func (r *remote) same(bytes int64) error {
	tag := r.answer.header("ETag")
	if tag == "" {
		tag = r.answer.header("Last-Modified")
	}
	switch {
	case bytes <= 0:
		return fault.New(fault.RangeMissing, "%s: the server does not say how long the file is", r.path)
	case r.bytes == 0:
		r.bytes = bytes
		if r.tag == "" {
			r.tag = tag
		}
	case bytes != r.bytes:
		return fault.New(fault.FilesGone, "%s has %d bytes on the server now, it had %d", r.path, bytes, r.bytes)
	case tag != "" && r.tag != "" && tag != r.tag:
		return fault.New(fault.FilesGone, "%s is another file on the server now (%.80q, it was %.80q)", r.path, tag, r.tag)
	}
	if most := int64(weights.PieceSize); r.whole && r.bytes > most && !r.given.inOrder() {
		return fault.New(fault.RangeMissing, "%s: the server sends this file of %d bytes only as a whole, not the parts that are asked for", r.path, r.bytes)
	}
	return nil
}

// read takes a piece out of the answer, past what lies before it.
func (r *remote) read(start, length int64) (js.Value, error) {
	piece, done := newBytes(length), int64(0)
	for done < length {
		chunk := r.rest
		r.rest = js.Undefined()
		if chunk.IsUndefined() {
			var err error
			if chunk, err = r.answer.chunk(); err != nil {
				return piece, err
			}
			if chunk.IsUndefined() {
				return piece, &retryable{fault: fault.New(fault.WeightsTruncated, "%s: the answer ends at byte %d of %d", r.path, r.at, r.bytes)}
			}
		}
		n := int64(chunk.Length())
		skip := min(n, start+done-r.at)
		take := min(n-skip, length-done)
		if take > 0 {
			piece.Call("set", chunk.Call("subarray", skip, skip+take), done)
		}
		done, r.at = done+take, r.at+skip+take
		if skip+take < n {
			r.rest = chunk.Call("subarray", skip+take)
		} else {
			release(chunk)
		}
	}
	return piece, nil
}

// hangUp closes the answer.
func (r *remote) hangUp() {
	if r.cancel != nil {
		r.cancel()
	}
	r.answer, r.cancel = nil, nil
}

// unanswered finds out why the browser threw: where the server answers a request whose
// answer nobody may read, it is there.
func (r *remote) unanswered(ctx context.Context, err error) error {
	policy := make(chan struct{}, 1)
	listener := js.FuncOf(func(_ js.Value, args []js.Value) any {
		select {
		case policy <- struct{}{}:
		default:
		}
		return nil
	})
	defer listener.Release()
	js.Global().Call("addEventListener", "securitypolicyviolation", listener)
	defer js.Global().Call("removeEventListener", "securitypolicyviolation", listener)
	limited, cancel := context.WithTimeout(ctx, transfer.StallAfter)
	defer cancel()
	_, failed := promise.Await(limited, js.Global().Call("fetch", r.address, map[string]any{"method": "HEAD", "mode": "no-cors", "cache": "no-store"}))
	if failed == nil {
		return fault.New(fault.AddressRefused, "%s: the server lets no page of another site read %.200s (it sends no Access-Control-Allow-Origin for this one)", r.path, r.address)
	}
	select {
	case <-policy:
		return fault.New(fault.AddressRefused, "%s: the Content-Security-Policy of this site (connect-src) does not let it read %.200s", r.path, r.address)
	case <-time.After(policyDelay):
	}
	return err
}

// policyDelay is how long a browser may take to tell that a policy forbade a request.
const policyDelay = 100 * time.Millisecond
