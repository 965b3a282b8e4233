package main

import (
	"bytes"
	"context"
	"time"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// progressEvery keeps progress from being more work than the download.
const progressEvery = 50 * time.Millisecond

// download gets the manifest and every file it lists, from this machine's store or
// from the network. A new version that cannot be had, by a broken connection or a broken
// site, leaves the one that is stored in its place.
func (m *session) download(ctx context.Context, b protocol.LoadBody, report func(protocol.ProgressBody)) error {
	m.site = newSite(ctx, b.Address, m.store)
	err := m.fetch(ctx, report)
	old := m.site.old
	if fresh := m.renewed(ctx, err); fresh != nil {
		m.site = newSite(ctx, b.Address, m.store)
		m.site.manifest = fresh
		err = m.fetch(ctx, report)
	}
	if err == nil || ctx.Err() != nil || old == nil || bytes.Equal(old, m.site.manifest) {
		return err
	}
	m.site = newSite(ctx, b.Address, m.store)
	m.site.manifest = old
	if m.fetch(ctx, report) != nil {
		return err
	}
	m.older = fault.Of(err)
	return nil
}

// renewed asks for model.json past the HTTP cache when the model that it describes
// could not be had: a server may say of an old copy that it is still good. It returns
// nil where that brings nothing else.
func (m *session) renewed(ctx context.Context, err error) []byte {
	if err == nil || ctx.Err() != nil || fault.Is(err, fault.Fetch) {
		return nil
	}
	text, failed := fetchText(ctx, m.site.address, "reload")
	if failed != nil || bytes.Equal(text, m.site.manifest) {
		return nil
	}
	return text
}

// fetch gets one version of the model.
func (m *session) fetch(ctx context.Context, report func(protocol.ProgressBody)) error {
	c := &counting{tell: report}
	m.reading, m.kept = &m.site.reading, m.site.kept
	m.site.report = c.hear
	bundle, err := weights.LoadBundle(ctx, m.site, manifestName)
	if err == nil {
		err = engine.Supports(&bundle.Manifest)
	}
	if err != nil {
		return err
	}
	m.store.remember(ctx, m.site.address, m.site.manifest, false)
	for i := range bundle.Files {
		m.site.files[bundle.Files[i].Path] = &bundle.Files[i]
	}
	c.total = bundle.Bytes()
	m.site.total = c.total
	for _, f := range bundle.Files {
		if f.Optional() {
			continue // fetched when somebody asks for what it does
		}
		if !m.site.passing() {
			c.begin(f.Path)
		}
		if _, err := m.site.Open(ctx, f.Path); err != nil {
			return err
		}
		c.before += f.Bytes
		_, c.reused = m.site.kept()
	}
	if stored, _ := m.site.kept(); stored == c.total {
		m.store.remember(ctx, m.site.address, m.site.manifest, true)
		m.store.sweep(ctx)
	}
	m.bundle = bundle
	return nil
}

// counting tells how far the files of a model have arrived, all together.
type counting struct {
	tell   func(protocol.ProgressBody)
	before int64 // bytes of the files before the one that arrives
	total  int64 // and of all; 0 where it is not known yet
	reused int64 // of before, what was on this machine already
	last   time.Time
	waited string
}

// begin tells that a file's turn has come.
func (c *counting) begin(file string) {
	c.tell(protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: c.before, Total: c.total, Stored: c.reused})
}

// hear tells how far a file is, not too often.
func (c *counting) hear(file string, a arrival) {
	done := c.before + a.done
	if a.wait == c.waited && (c.total == 0 || done < c.total && time.Since(c.last) < progressEvery) {
		return
	}
	c.last, c.waited = time.Now(), a.wait
	c.tell(protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: done, Total: c.total,
		Stored: c.reused + a.stored, Retry: retry(a.try), Wait: a.wait})
}

func retry(try int) int {
	if try > 1 {
		return try
	}
	return 0
}

// loaded describes what was loaded, and what of it is kept on this machine.
func (m *session) loaded() protocol.LoadedBody {
	body := protocol.LoadedBody{Info: m.engine.Info(), Choice: m.choice}
	if m.given != nil {
		body.Found, body.Manifest, body.Address = m.given.about, m.given.manifest, m.given.address
	}
	if m.beside != nil {
		body.Found = m.beside.about
	}
	if m.tuning != nil {
		t := m.tuning.body()
		body.Tuning = &t
	}
	if m.store == nil {
		return body
	}
	stored, reused := m.kept()
	body.Storage = &protocol.StorageBody{Stored: stored, Reused: reused}
	for _, f := range []*fault.Error{m.store.refused, m.older} {
		if f != nil {
			e := protocol.ErrorOf(f)
			body.Storage.Fault = &e
		}
	}
	return body
}
