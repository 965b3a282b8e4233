package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/promise"
)

// maxPlain bounds files without a known length, of which there is one: model.json.
const maxPlain = 1 << 20

// download fetches one file. A broken line is taken up again at the last verified
// piece; each piece is compared with its SHA-256 before anyone sees it, so a file
// that changes on the server between two attempts cannot be mixed.
type download struct {
	address string
	// file says length and hashes; nil for a file of unknown content, which is
	// then read to its end, up to maxPlain.
	file *weights.File
	// progress is told how many bytes of the file have arrived, and in which attempt.
	progress func(done int64, try int)

	got     memory
	current js.Value // the piece being filled
	filled  int64    // bytes of it
	reload  bool     // past the HTTP cache, which may hold a damaged copy
}

// retryable is a failure that the next attempt may not meet.
type retryable struct {
	fault *fault.Error
	after string // Retry-After
}

func (r *retryable) Error() string { return r.fault.Error() }

// run fetches the file. Errors: Fetch, HTTPStatus, NotWeights, WeightsTruncated,
// WeightsHash, ManifestInvalid, Aborted.
func (d *download) run(ctx context.Context) (*memory, error) {
	for try := 1; ; try++ {
		err := d.attempt(ctx, try)
		if err == nil {
			return &d.got, nil
		}
		if ctx.Err() != nil {
			return nil, fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped while loading")
		}
		var again *retryable
		if !errors.As(err, &again) {
			return nil, err
		}
		if try == maxTries || again.fault.Code == fault.WeightsHash && d.reload {
			return nil, again.fault
		}
		d.reload = d.reload || again.fault.Code == fault.WeightsHash
		select {
		case <-time.After(pause(try+1, again.after, time.Now())):
		case <-ctx.Done():
		}
	}
}

// attempt opens the connection at the first byte that is not verified yet and
// reads to the end of the file.
func (d *download) attempt(ctx context.Context, try int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	abort := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { abort.Call("abort") })
	defer stop()
	defer abort.Call("abort") // drops the connection when an error ends the reading

	start := d.got.size
	headers := map[string]any{}
	if start > 0 {
		headers["Range"] = fmt.Sprintf("bytes=%d-", start)
	}
	options := map[string]any{"signal": abort.Get("signal"), "headers": headers, "credentials": "same-origin"}
	if d.reload {
		options["cache"] = "reload"
	}
	response, err := d.wait(ctx, js.Global().Call("fetch", d.address, options))
	if err != nil {
		return err
	}
	skip, err := d.check(response, start)
	if err != nil {
		return err
	}
	d.current, d.filled = js.Undefined(), 0
	reader := response.Get("body").Call("getReader")
	first := true
	for {
		part, err := d.wait(ctx, reader.Call("read"))
		if err != nil {
			return err
		}
		if part.Get("done").Bool() {
			return d.finish(ctx)
		}
		chunk := part.Get("value")
		if first {
			if err := d.checkContent(response, chunk); err != nil {
				return err
			}
			first = false
		}
		if n := min(skip, int64(chunk.Length())); n > 0 {
			chunk = chunk.Call("subarray", n)
			skip -= n
		}
		if err := d.take(ctx, chunk); err != nil {
			return err
		}
		d.progress(d.got.size+d.filled, try)
	}
}

// wait is promise.Await that gives up on a line that has gone silent.
func (d *download) wait(ctx context.Context, p js.Value) (js.Value, error) {
	limited, cancel := context.WithTimeout(ctx, stallAfter)
	defer cancel()
	v, err := promise.Await(limited, p)
	switch {
	case err == nil:
		return v, nil
	case ctx.Err() != nil:
		return v, ctx.Err()
	case limited.Err() != nil:
		return v, &retryable{fault: fault.New(fault.Fetch, "%s: no byte has arrived for %v", d.name(), stallAfter)}
	}
	return v, &retryable{fault: fault.Wrap(err, fault.Fetch, "%s could not be fetched", d.name())}
}

// check looks at the status, and returns how many bytes of the answer come before
// the first that is wanted.
func (d *download) check(response js.Value, start int64) (skip int64, err error) {
	status := response.Get("status").Int()
	switch {
	case status == 200:
		return start, nil // the whole file, from its beginning
	case status == 206 && start > 0:
		from, ok := contentStart(header(response, "Content-Range"))
		if !ok || from > start {
			return 0, fault.New(fault.HTTPStatus, "%s: asked for bytes from %d, the server sent %q", d.name(), start, header(response, "Content-Range"))
		}
		return start - from, nil
	case status == 416:
		return 0, d.short(start)
	}
	f := fault.New(fault.HTTPStatus, "%s: the server answered %d %s", d.name(), status, response.Get("statusText").String())
	if transient(status) {
		return 0, &retryable{fault: f, after: header(response, "Retry-After")}
	}
	return 0, f
}

// checkContent looks at the first bytes and at the announced length, so that the
// wrong file is refused before it is downloaded.
func (d *download) checkContent(response, chunk js.Value) error {
	head := make([]byte, 64)
	n := js.CopyBytesToGo(head, chunk)
	if looksLikeHTML(header(response, "Content-Type"), head[:n]) {
		return fault.New(fault.NotWeights, "%s: the server sent a web page in place of the file", d.name())
	}
	// A compressed answer has another length than the file.
	if response.Get("status").Int() != 200 || header(response, "Content-Encoding") != "" {
		return nil
	}
	length, err := strconv.ParseInt(header(response, "Content-Length"), 10, 64)
	switch {
	case err != nil || length == d.size():
		return nil
	case length > d.size():
		return d.long(length)
	case d.file != nil:
		return d.short(length)
	}
	return nil
}

func header(response js.Value, name string) string {
	if v := response.Get("headers").Call("get", name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// take puts a chunk into pieces and verifies those that become full.
func (d *download) take(ctx context.Context, chunk js.Value) error {
	for chunk.Length() > 0 {
		if d.current.IsUndefined() {
			d.current, d.filled = newBytes(d.pieceLength()), 0
		}
		room := int64(d.current.Length()) - d.filled
		if room == 0 {
			return d.long(d.got.size + d.filled + int64(chunk.Length()))
		}
		n := min(room, int64(chunk.Length()))
		d.current.Call("set", chunk.Call("subarray", 0, n), d.filled)
		d.filled += n
		chunk = chunk.Call("subarray", n)
		if d.file != nil && n == room {
			if err := d.verify(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// pieceLength is the length of the piece that begins at d.got.size.
func (d *download) pieceLength() int64 {
	if d.file == nil {
		return maxPlain
	}
	return min(PieceBytes, d.file.Bytes-d.got.size)
}

// verify compares the finished piece with its hash and keeps it.
func (d *download) verify(ctx context.Context) error {
	i := len(d.got.pieces)
	sum, err := digest(ctx, d.current)
	if err != nil {
		return err
	}
	if want := d.file.Pieces[i]; sum != want {
		return &retryable{fault: fault.New(fault.WeightsHash, "%s: piece %d of %d has the SHA-256 %.12s…, model.json says %.12s…",
			d.name(), i+1, len(d.file.Pieces), sum, want)}
	}
	d.got.pieces = append(d.got.pieces, d.current)
	d.got.size += d.filled
	d.current, d.filled = js.Undefined(), 0
	return nil
}

// finish judges the end of the answer.
func (d *download) finish(ctx context.Context) error {
	if d.file == nil {
		if d.current.IsUndefined() {
			d.current = newBytes(0)
		}
		d.got = memory{pieces: []js.Value{d.current.Call("subarray", 0, d.filled)}, size: d.filled}
		return nil
	}
	if d.got.size < d.file.Bytes {
		return &retryable{fault: d.short(d.got.size + d.filled)}
	}
	return ctx.Err()
}

func (d *download) short(n int64) *fault.Error {
	return fault.New(fault.WeightsTruncated, "%s has %d bytes, model.json says %d", d.name(), n, d.size())
}

func (d *download) long(n int64) *fault.Error {
	return fault.New(fault.ManifestInvalid, "%s has %d bytes or more, %d are allowed", d.name(), n, d.size())
}

func (d *download) size() int64 {
	if d.file == nil {
		return maxPlain
	}
	return d.file.Bytes
}

// name is what people know the file by.
func (d *download) name() string {
	if d.file == nil {
		return d.address
	}
	return d.file.Path
}

// digest is the SHA-256 of a Uint8Array in hexadecimal. The browser computes it
// ten times faster than Go does, but offers it in secure contexts only.
func digest(ctx context.Context, piece js.Value) (string, error) {
	subtle := js.Global().Get("crypto").Get("subtle")
	if subtle.IsUndefined() {
		b := make([]byte, piece.Length())
		js.CopyBytesToGo(b, piece)
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:]), nil
	}
	buffer, err := promise.Await(ctx, subtle.Call("digest", "SHA-256", piece))
	if err != nil {
		return "", err
	}
	sum := make([]byte, sha256.Size)
	js.CopyBytesToGo(sum, js.Global().Get("Uint8Array").New(buffer))
	return hex.EncodeToString(sum), nil
}
