package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/engine/transfer"
	"undertone/wasm/host"
	"undertone/wasm/promise"
	"undertone/wasm/protocol"
)

// maxText bounds files without a known length, of which there is one: model.json.
const maxText = 1 << 20

// atOnce is the pause before an attempt that asks for something else.
const atOnce = "0"

// arrival is how much of a file is there.
type arrival struct {
	done   int64  // bytes, whether verified or not
	total  int64  // bytes of the file
	stored int64  // of them found on this machine
	try    int    // number of the attempt
	wait   string // why nothing happens: protocol.WaitOffline, protocol.WaitTab, or nothing
}

// download gets one file, piece by piece: from the store where it is there, else
// from the network. Each piece is compared with its SHA-256 before anyone sees it,
// which is the validator for everything that is taken up again: a file that
// changes on the server between two attempts, or two visits, cannot be mixed.
type download struct {
	address string
	file    *weights.File
	store   *store
	site    *site
	report  func(arrival)

	got     *listed
	done    int64    // bytes of verified pieces
	pieces  int      // that were verified, some more than once
	stored  int64    // of them from the store, when loading began
	kept    int64    // bytes that the store has now
	try     int      // number of the attempt
	current js.Value // the piece being filled
	filled  int64    // bytes of it
	reload  bool     // past the HTTP cache, which may hold a damaged copy, and as a whole
	doubt   bool     // whether the server can send a part: see fetch
	needed  bool     // what is fetched, now, of a model that passes through
}

// run gets the file. Errors: Fetch, HTTPStatus, NotWeights, WeightsTruncated,
// WeightsHash, ManifestInvalid, Aborted.
func (d *download) run(ctx context.Context) error {
	release := d.store.hold(ctx, d.file.SHA256, func() int64 { return d.store.present(ctx, d.file) }, func(done int64) { d.report(arrival{done: done, total: d.file.Bytes, wait: protocol.WaitTab}) })
	defer release()
	d.restore(ctx)
	return d.fill(ctx)
}

// fill gets the pieces that are missing from the network, unless the model passes through.
func (d *download) fill(ctx context.Context) error {
	return d.get(ctx, func() (from, to int, missing bool) {
		if d.site.passing() {
			return 0, 0, false
		}
		return d.gap(0, len(d.file.Pieces))
	})
}

// get gets pieces from the network until missing finds no more.
func (d *download) get(ctx context.Context, missing func() (from, to int, missing bool)) error {
	return keepTrying(ctx, func(why string) { d.tell(why) }, func(try int) (further bool, err error) {
		before := d.pieces
		d.try = try
		for {
			from, to, missing := missing()
			if !missing {
				return true, ctx.Err()
			}
			if err := d.attempt(ctx, from, to); err != nil {
				return d.pieces > before, d.classify(err)
			}
		}
	})
}

// refill gets piece i, which is not there, as none of a model is that passes through, or
// which the store has lost since it was verified: a person or the browser has deleted it,
// or it was damaged. Then it gets every other one that is not there.
func (d *download) refill(ctx context.Context, i int) error {
	lost := d.got.stored[i]
	for k, stored := range d.got.stored {
		if lost && stored && (k == i || !d.store.presentPiece(ctx, d.file, k)) {
			d.got.stored[k] = false
			d.done -= pieceLength(d.file, k)
			d.kept -= pieceLength(d.file, k)
		}
	}
	d.reload = false
	if !d.site.passing() {
		return d.fill(ctx)
	}
	d.needed = true
	return d.get(ctx, func() (from, to int, missing bool) {
		if d.got.has(i) {
			return 0, 0, false
		}
		return d.gap(i, min(i+readAhead, len(d.file.Pieces)))
	})
}

// classify decides what follows when an answer was not the file that model.json lists,
// in length, content, range, status or kind. The HTTP cache, here or on the way, may
// hold another version or a damaged copy under this name, so the whole file is asked
// for once more, past it; the answer to that is the last word. A connection that broke is
// left to keepTrying.
func (d *download) classify(err error) error {
	var again *retryable
	var wrong *fault.Error
	if d.reload || errors.As(err, &again) || !errors.As(err, &wrong) {
		return err
	}
	d.reload = true
	return &retryable{fault: wrong, after: atOnce}
}

// tell reports how far the download is. A model that passes through is told of where it is
// uploaded, and here only of what holds that up.
func (d *download) tell(wait string) {
	if d.site.passing() && wait == "" && d.try < 2 {
		return
	}
	d.report(arrival{done: d.done + d.filled, total: d.file.Bytes, stored: d.stored, try: d.try, wait: wait})
}

// restore takes what the store has.
func (d *download) restore(ctx context.Context) {
	for i, hash := range d.file.Pieces {
		if piece, ok := d.store.read(ctx, hash, pieceLength(d.file, i)); ok {
			d.keep(i, piece, true)
			d.stored += pieceLength(d.file, i)
			d.tell("")
		}
	}
}

// gap finds the first missing pieces of [first, last).
func (d *download) gap(first, last int) (from, to int, missing bool) {
	for from = first; from < last && d.got.has(from); {
		from++
	}
	for to = from; to < last && !d.got.has(to); {
		to++
	}
	return from, to, from < to
}

// attempt asks for pieces [from, to) and reads what the server sends in answer:
// them, or the whole file.
func (d *download) attempt(ctx context.Context, from, to int) error {
	d.current, d.filled = js.Undefined(), 0
	start, end := int64(from)*weights.PieceSize, min(int64(to)*weights.PieceSize, d.file.Bytes)
	wanted := ""
	if (!d.reload || d.site.passing()) && end-start < d.file.Bytes {
		wanted = transfer.ByteRange(start, end)
	}
	part := wanted != ""
	l, wanted, cancel, err := d.fetch(ctx, wanted)
	defer cancel()
	if err != nil {
		return err
	}
	if part && l.status() == 200 {
		d.got.whole = true
	}
	at, err := d.begin(l, wanted != "", start)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		chunk, err := l.chunk()
		if err != nil {
			return err
		}
		if chunk.IsUndefined() || at == d.file.Bytes { // what a server adds to the file is not read
			return d.end(ctx, at, from, to)
		}
		if first { // by now it is known not to be a web page
			if err := d.announced(l); err != nil {
				return err
			}
		}
		at, err = d.take(ctx, at, chunk)
		release(chunk)
		if err != nil {
			return err
		}
		d.tell("")
		if _, _, missing := d.gap(0, len(d.file.Pieces)); !missing && at < d.file.Bytes {
			return nil // the rest is there already
		}
		if !d.needed && !d.got.whole && d.site.passing() {
			return nil // nothing more is stored, and none of the rest would stay
		}
	}
}

// fetch asks for a range of the file, or with "" for all of it, and says which of
// the two is answered. A part that a server has compressed is an error to browsers
// that looks like a broken connection. So where there is no answer, the whole file is
// asked for at once. If it comes compressed or without its length, it is taken; if it
// comes uncompressed in its full length, the connection works again, and the next
// attempt asks for the part once more, at most once in vain.
func (d *download) fetch(ctx context.Context, wanted string) (*response, string, func(), error) {
	cache := "default"
	switch {
	case d.reload:
		cache = "reload"
	case d.store.writable():
		cache = "no-store" // once on the disk is enough
	}
	l, cancel, err := fetch(ctx, d.file.Path, d.address, wanted, cache)
	var again *retryable
	if wanted == "" || !errors.As(err, &again) || !again.thrown {
		d.doubt = d.doubt && err != nil
		return l, wanted, cancel, err
	}
	cancel()
	whole, cancel, failed := fetch(ctx, d.file.Path, d.address, "", cache)
	if failed != nil {
		return whole, "", cancel, failed
	}
	if n, ok := whole.length(); ok && n == d.file.Bytes && !d.doubt {
		d.doubt = true
		return whole, "", cancel, err
	}
	return whole, "", cancel, nil
}

// begin looks at the status, and returns the place in the file of the first byte of
// the answer.
func (d *download) begin(l *response, ranged bool, start int64) (at int64, err error) {
	switch status := l.status(); {
	case ranged && l.header("Content-Encoding") != "": // of a part, which browsers do not undo
		return 0, fault.New(fault.HTTPStatus, "%s: asked for bytes from %d, the server sent them compressed", d.file.Path, start)
	case status == 200: // the whole file, from its beginning
	case status == 206 && ranged:
		from, ok := transfer.ContentStart(l.header("Content-Range"))
		if !ok || from > start {
			return 0, fault.New(fault.HTTPStatus, "%s: asked for bytes from %d, the server sent %q", d.file.Path, start, l.header("Content-Range"))
		}
		at = from
	case status == 416 && ranged: // it says that the file ends earlier; the whole of it will show
		return 0, d.short(start)
	default:
		return 0, l.refused()
	}
	return at, nil
}

// announced compares the length that the server tells with the manifest's.
func (d *download) announced(l *response) error {
	n, ok := l.length()
	switch {
	case ok && n > d.file.Bytes:
		return d.long(n)
	case ok && n < d.file.Bytes:
		return d.short(n)
	}
	return nil
}

// take puts a chunk, which lies at that place of the file, into the pieces that are
// missing, verifies those that become full, and returns the place behind it.
func (d *download) take(ctx context.Context, at int64, chunk js.Value) (int64, error) {
	for chunk.Length() > 0 && at < d.file.Bytes {
		i := int(at / weights.PieceSize)
		length, into := pieceLength(d.file, i), at%weights.PieceSize
		n := min(length-into, int64(chunk.Length()))
		if into == 0 && !d.got.has(i) {
			d.current, d.filled = newBytes(length), 0
		}
		if d.current.Truthy() && d.filled == into {
			d.current.Call("set", chunk.Call("subarray", 0, n), into)
			d.filled += n
			if d.filled == length {
				if err := d.verify(ctx, i); err != nil {
					return at, err
				}
			}
		}
		at += n
		chunk = chunk.Call("subarray", n)
	}
	return at, nil
}

// verify compares the finished piece with its hash and keeps it.
func (d *download) verify(ctx context.Context, i int) error {
	piece := d.current
	d.current, d.filled = js.Undefined(), 0
	sum, err := digest(ctx, piece)
	if err != nil {
		return err
	}
	if want := d.file.Pieces[i]; sum != want {
		return fault.New(fault.WeightsHash, "%s: piece %d of %d has the SHA-256 %.12s…, model.json says %.12s…", d.file.Path, i+1, len(d.file.Pieces), sum, want)
	}
	d.keep(i, piece, d.store.write(ctx, sum, piece))
	return nil
}

// keep takes a verified piece over, which the store has or which stays in memory.
func (d *download) keep(i int, piece js.Value, stored bool) {
	d.done += pieceLength(d.file, i)
	d.pieces++
	if !stored {
		d.got.hold(i, piece)
		return
	}
	d.got.stored[i] = true
	d.kept += pieceLength(d.file, i)
	d.site.window.put(d.file.Pieces[i], piece)
}

// end looks at what is missing at the end of the answer. One that brought nothing
// whole may be a shorter file; else, and after the last word, the connection ended early.
func (d *download) end(ctx context.Context, at int64, from, to int) error {
	for i := from; i < to; i++ {
		switch {
		case d.got.has(i):
		case i == from && !d.reload:
			return d.short(at)
		default:
			return &retryable{fault: d.short(at)}
		}
	}
	return ctx.Err()
}

func (d *download) short(n int64) *fault.Error {
	return fault.New(fault.WeightsTruncated, "%s has %d bytes, model.json says %d", d.file.Path, n, d.file.Bytes)
}

func (d *download) long(n int64) *fault.Error {
	return fault.New(fault.ManifestInvalid, "%s has %d bytes or more, %d are allowed", d.file.Path, n, d.file.Bytes)
}

// pieceLength is the length of piece i.
func pieceLength(f *weights.File, i int) int64 {
	return min(weights.PieceSize, f.Bytes-int64(i)*weights.PieceSize)
}

// digest is the SHA-256 of a Uint8Array in hexadecimal. The browser computes it
// ten times faster than Go does, but offers it in secure contexts only.
func digest(ctx context.Context, piece js.Value) (string, error) {
	subtle := host.Get("crypto", "subtle")
	if !subtle.Truthy() {
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
