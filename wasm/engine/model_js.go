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
	m.store, m.older = nil, nil
	if b.Store {
		m.store = openStore()
	}
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
	var before, total int64
	var last time.Time
	var waited string
	m.site.report = func(file string, a arrival) {
		done := before + a.done
		if a.wait == waited && (total == 0 || done < total && time.Since(last) < progressEvery) { // total 0: model.json itself
			return
		}
		last, waited = time.Now(), a.wait
		report(protocol.ProgressBody{Stage: protocol.StageDownload, File: file, Done: done, Total: total,
			Stored: m.site.reused() + a.stored, Retry: retry(a.try), Wait: a.wait})
	}
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
		total += bundle.Files[i].Bytes
	}
	m.site.total = total
	for _, f := range bundle.Files {
		if !m.site.passing() {
			report(protocol.ProgressBody{Stage: protocol.StageDownload, File: f.Path, Done: before, Total: total, Stored: m.site.reused()})
		}
		if _, err := m.site.Open(ctx, f.Path); err != nil {
			return err
		}
		before += f.Bytes
	}
	if m.site.stored() == total {
		m.store.remember(ctx, m.site.address, m.site.manifest, true)
		m.store.sweep(ctx)
	}
	m.bundle = bundle
	return nil
}

func retry(try int) int {
	if try > 1 {
		return try
	}
	return 0
}

// loaded describes what was loaded, and what of it is kept on this machine.
func (m *session) loaded() protocol.LoadedBody {
	body := protocol.LoadedBody{Info: m.engine.Info()}
	if m.store == nil {
		return body
	}
	body.Storage = &protocol.StorageBody{Stored: m.site.stored(), Reused: m.site.reused()}
	for _, f := range []*fault.Error{m.store.refused, m.older} {
		if f != nil {
			e := protocol.ErrorOf(f)
			body.Storage.Fault = &e
		}
	}
	return body
}
