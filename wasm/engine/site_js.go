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

// site opens the files of a model on the web. Every file is downloaded once and
// kept for as long as the model is loaded, so that a lost GPU can be filled again
// without the network. It implements weights.Opener.
type site struct {
	address  string // of model.json, absolute
	store    *store
	report   func(file string, a arrival)
	manifest []byte                   // once it was opened
	old      []byte                   // the one that is stored
	files    map[string]*weights.File // by path; empty until the manifest is read
	kept     map[string]*memory
	stored   int64 // bytes of the opened files that the store has
	reused   int64 // bytes that it had before
}

func newSite(address string, s *store) *site {
	return &site{address: address, store: s, files: map[string]*weights.File{}, kept: map[string]*memory{}}
}

// Open downloads and verifies a file, or returns the one that is kept.
func (s *site) Open(ctx context.Context, path string) (op.Source, error) {
	if path == manifestName {
		return s.openManifest(ctx)
	}
	if m, ok := s.kept[path]; ok {
		return m, nil
	}
	address, err := s.resolve(path)
	if err != nil {
		return nil, err
	}
	if s.files[path] == nil {
		return nil, fault.New(fault.ManifestInvalid, "model.json does not list %.80q", path)
	}
	d := download{address: address, file: s.files[path], store: s.store, report: func(a arrival) { s.report(path, a) }}
	m, err := d.run(ctx)
	if err != nil {
		return nil, err
	}
	s.kept[path] = m
	s.stored, s.reused = s.stored+d.kept, s.reused+d.stored
	return m, nil
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
