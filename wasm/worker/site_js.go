package worker

import (
	"context"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// manifestName is the path of the manifest within its own folder, whatever its
// address calls it.
const manifestName = "model.json"

// site opens the files of a model on the web. Every file is downloaded once and
// kept for as long as the model is loaded, so that a lost GPU can be filled again
// without the network. It implements weights.Opener.
type site struct {
	address string // of model.json, absolute
	report  func(file string, done int64, try int)
	files   map[string]*weights.File // by path; empty until the manifest is read
	kept    map[string]*memory
}

func newSite(address string, report func(file string, done int64, try int)) *site {
	return &site{address: address, report: report, files: map[string]*weights.File{}, kept: map[string]*memory{}}
}

// Open downloads and verifies a file, or returns the one that is kept.
func (s *site) Open(ctx context.Context, path string) (op.Source, error) {
	if m, ok := s.kept[path]; ok {
		return m, nil
	}
	address := s.address
	if path != manifestName {
		var err error
		if address, err = s.resolve(path); err != nil {
			return nil, err
		}
		if s.files[path] == nil {
			return nil, fault.New(fault.ManifestInvalid, "model.json does not list %.80q", path)
		}
	}
	d := download{address: address, file: s.files[path], progress: func(done int64, try int) { s.report(path, done, try) }}
	m, err := d.run(ctx)
	if err != nil {
		return nil, err
	}
	if d.file != nil {
		s.kept[path] = m
	}
	return m, nil
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
