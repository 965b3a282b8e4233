package main

import (
	"bytes"
	"context"
	"errors"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// manifestName is the path of the manifest within its own folder, whatever its
// address calls it.
const manifestName = "model.json"

// revalidated is how model.json is fetched: it keeps its name when it changes.
const revalidated = "no-cache"

// site opens the files of a model on the web. Every file is downloaded once and, in the
// store or else in memory, there for as long as the model is loaded, so that a lost GPU
// can be filled again without the network. It implements weights.Opener.
type site struct {
	reading
	address  string // of model.json, absolute
	store    *store
	manifest []byte                   // once it was opened
	old      []byte                   // the one that is stored
	files    map[string]*weights.File // by path; empty until the manifest is read
	got      map[string]*download     // what was opened, by path
	total    int64                    // bytes of all files; 0 until the manifest is read
	held     held
}

// reading is what all files of a model share while they are read.
type reading struct {
	report func(file string, a arrival)
	window window
	// serving is the context of the request that is being served: reading a source takes
	// time, and none of its own.
	serving context.Context
}

func newSite(ctx context.Context, address string, s *store) *site {
	return &site{address: address, store: s, files: map[string]*weights.File{}, got: map[string]*download{}, reading: reading{serving: ctx}}
}

// kept is how many bytes of the opened files that every picture needs the store has, and
// reused how many it had before.
func (s *site) kept() (stored, reused int64) {
	for _, d := range s.got {
		if d.file.Optional() {
			continue
		}
		stored += d.kept
		reused += d.stored
	}
	return stored, reused
}

// passing tells whether the model passes through the tab: nothing more can be stored, and
// it is larger than what may stay in memory. Its pieces are fetched when they are needed.
func (s *site) passing() bool { return s.total > maxHeld && !s.store.writable() }

// Open downloads and verifies a file, or returns one that was opened before. Of a model
// that passes through, it downloads nothing yet.
func (s *site) Open(ctx context.Context, path string) (op.Source, error) {
	if path == manifestName {
		return s.openManifest(ctx)
	}
	if d, ok := s.got[path]; ok {
		return source{d.got, &s.window}, nil
	}
	address, err := s.resolve(path)
	if err != nil {
		return nil, err
	}
	f := s.files[path]
	if f == nil {
		return nil, fault.New(fault.ManifestInvalid, "model.json does not list %.80q", path)
	}
	d := &download{address: address, file: f, store: s.store, site: s, got: newListed(s, f), report: func(a arrival) { s.report(path, a) }}
	d.got.renew = func(i int) error { return d.refill(s.serving, i) }
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	s.got[path] = d
	return source{d.got, &s.window}, nil
}

// openManifest asks the network first, so that a new version is seen. When there is
// no answer, or none of the site's own (a hotel's web page), the model that was
// stored is used as it is.
func (s *site) openManifest(ctx context.Context) (op.Source, error) {
	if s.manifest != nil {
		return bytes.NewReader(s.manifest), nil
	}
	var text []byte
	var err error
	if s.old = s.store.recall(ctx, s.address); s.old != nil {
		var again *retryable
		text, err = fetchText(ctx, s.address, revalidated)
		// A service worker may know a newer model.json, which is of no use without a network.
		if errors.As(err, &again) || fault.Is(err, fault.NotWeights) || err == nil && offline() {
			text, err = s.old, nil
		}
	} else {
		err = keepTrying(ctx, func(why string) { s.report(manifestName, arrival{wait: why}) }, func(int) (further bool, err error) {
			text, err = fetchText(ctx, s.address, revalidated)
			return false, err
		})
	}
	if err != nil {
		return nil, err
	}
	s.manifest = text
	return bytes.NewReader(text), nil
}

// resolve makes the address of a file of the model; a manifest cannot point to
// another site.
func (s *site) resolve(path string) (address string, err error) {
	defer func() {
		if recover() != nil { // new URL throws
			err = fault.New(fault.ManifestInvalid, "%.80q is not an address", path)
		}
	}()
	url := js.Global().Get("URL")
	base, u := url.New(s.address), url.New(path, s.address)
	if base.Get("origin").String() != u.Get("origin").String() {
		return "", fault.New(fault.ManifestInvalid, "%.80q lies on another site than model.json", path)
	}
	return u.Get("href").String(), nil
}
