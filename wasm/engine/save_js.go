package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/wasm/promise"
	"undertone/wasm/protocol"
)

// save writes the loaded model into a folder that the person chose.
func (w *worker) save(r request) error {
	m := &w.session
	if m.given == nil || m.bundle == nil {
		return fault.New(fault.Closed, "no published files are loaded that could be saved")
	}
	m.reading.serving = r.ctx
	s := &saving{ctx: r.ctx, folder: r.folder, report: func(done int64, file string) {
		post(protocol.Progress, r.id, protocol.ProgressBody{Stage: protocol.StageSave, File: file, Done: done, Total: max(done, m.bundle.Manifest.Bytes())}, js.Undefined())
	}}
	if err := m.bundle.Save(r.ctx, s.create, nil); err != nil {
		return err
	}
	post(protocol.Saved, r.id, protocol.SavedBody{Files: s.files, Bytes: s.done}, js.Undefined())
	return nil
}

// saving writes files into a folder, a part at a time. The browser puts each in its place
// when it is closed.
type saving struct {
	ctx    context.Context
	folder js.Value // a FileSystemDirectoryHandle
	report func(done int64, file string)
	files  []string
	done   int64 // bytes
}

// savedAtOnce is how much is handed to the browser at once.
const savedAtOnce = 1 << 20

// create writes a file. Errors: StorageFull and StorageRefused, those of write, and Aborted.
func (s *saving) create(name string, write func(io.Writer) error) error {
	handle, err := s.await(name, s.folder.Call("getFileHandle", name, map[string]any{"create": true}))
	if err != nil {
		return err
	}
	stream, err := s.await(name, handle.Call("createWritable"))
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(&part{s, name, stream}, savedAtOnce)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err != nil {
		promise.Await(context.Background(), stream.Call("abort")) // nothing is left of it
		return err
	}
	if _, err := s.await(name, stream.Call("close")); err != nil {
		return err
	}
	s.files = append(s.files, name)
	return nil
}

// await waits for the browser to have done something with a file.
func (s *saving) await(name string, p js.Value) (js.Value, error) {
	v, err := promise.Await(s.ctx, p)
	if err == nil {
		return v, nil
	}
	if s.ctx.Err() != nil {
		return v, fault.Wrap(s.ctx.Err(), fault.Aborted, "stopped while %s was written", name)
	}
	code, why := fault.StorageRefused, err.Error()
	var thrown js.Error
	if errors.As(err, &thrown) && thrown.Value.Get("name").Equal(js.ValueOf("QuotaExceededError")) {
		code = fault.StorageFull
	}
	return v, fault.New(code, "%s cannot be written: %.200s", name, why)
}

// part hands what is written to the browser.
type part struct {
	*saving
	name   string
	stream js.Value
}

func (p *part) Write(b []byte) (int, error) {
	bytes := newBytes(int64(len(b)))
	js.CopyBytesToJS(bytes, b)
	if _, err := p.await(p.name, p.stream.Call("write", bytes)); err != nil {
		return 0, err
	}
	release(bytes)
	p.done += int64(len(b))
	p.report(p.done, p.name)
	return len(b), nil
}
