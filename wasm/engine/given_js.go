package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall/js"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/fault"
	"undertone/engine/gpu"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// given are published files that were given as one model.
type given struct {
	reading
	store    *store
	files    []*published // those that say something by their names
	unused   []recipe.UnusedFile
	address  string // of what is kept, or nothing
	about    *recipe.Published
	manifest json.RawMessage // the model.json that was made
	remotes  []*remote       // with an open answer, the one used last is the last
	headers  bool            // nothing but the beginnings of files is read
	wrote    map[string]bool // pieces that were written by now, by their hashes
}

// origin is where the pieces of a published file come from.
type origin interface {
	piece(ctx context.Context, i int, length int64) (js.Value, error)
	hangUp()
}

// published is one of the files. Without an origin it is kept on this machine only.
type published struct {
	given  *given
	path   string
	bytes  int64
	from   origin
	hashes []string // SHA-256 of its pieces, from the first on, as far as they are known
	first  string   // SHA-256 of the first piece, once it was read
	stored []bool   // which of these the store has
	reused int64    // bytes that the store had before
}

func (p *published) length() int64 { return p.bytes }

// pieceLength is the length of piece i.
func (p *published) pieceLength(i int) int64 {
	return min(weights.PieceSize, p.bytes-int64(i)*weights.PieceSize)
}

// count is how many pieces there are.
func (p *published) count() int { return int((p.bytes + weights.PieceSize - 1) / weights.PieceSize) }

// piece finds a piece among those read last, in the store, or where it comes from.
func (p *published) piece(i int) (js.Value, error) {
	key := fmt.Sprintf("%s %d", p.path, i)
	if piece, ok := p.given.window.get(key); ok {
		return piece, nil
	}
	ctx := p.given.serving
	if i < len(p.stored) && p.stored[i] {
		if piece, ok := p.given.store.read(ctx, p.hashes[i], p.pieceLength(i)); ok {
			p.given.window.put(key, piece)
			return piece, nil
		}
		p.stored[i] = ctx.Err() != nil
	}
	piece, err := p.fetch(ctx, i)
	if err != nil {
		return js.Undefined(), err
	}
	p.given.window.put(key, piece)
	return piece, nil
}

// fetch gets a piece from where it comes from, and compares it with what it was.
func (p *published) fetch(ctx context.Context, i int) (js.Value, error) {
	switch {
	case ctx.Err() != nil:
		return js.Undefined(), fault.Wrap(ctx.Err(), fault.Aborted, "stopped while %s was read", p.path)
	case p.from == nil:
		return js.Undefined(), fault.New(fault.FilesGone, "%s: piece %d of %d is not kept on this machine any more", p.path, i+1, p.count())
	}
	piece, err := p.from.piece(ctx, i, p.pieceLength(i))
	begins := i == 0 && p.given.store != nil && p.first == ""
	if err != nil || i >= len(p.hashes) && !begins {
		return piece, err
	}
	sum, err := digest(ctx, piece)
	if begins { // for the name under which it is kept: a server need not send the piece again
		p.first = sum
	}
	if err == nil && i < len(p.hashes) && sum != p.hashes[i] {
		err = fault.New(fault.FilesGone, "%s: piece %d of %d has the SHA-256 %.12s…, it had %.12s… when it was read first", p.path, i+1, p.count(), sum, p.hashes[i])
	}
	return piece, err
}

// maxUnused is how many files that nothing is made of are named.
const maxUnused = 100

// gather makes the files of what was given: blobs are those of the files without an
// address. Of folders, what is neither a weight file nor describes one is left out. Without
// report, nothing but headers will be read.
func gather(ctx context.Context, src protocol.Source, blobs []js.Value, s *store, report func(string, arrival)) (*given, error) {
	g := &given{reading: reading{serving: ctx, report: report}, store: s, headers: report == nil, wrote: map[string]bool{}}
	if g.headers {
		g.report = func(string, arrival) {}
	}
	if src.Kept() {
		return g, g.recall(ctx, src.Address)
	}
	names := map[string]bool{}
	for _, f := range src.Files {
		var blob js.Value
		if f.Address == "" {
			if len(blobs) == 0 {
				return nil, fault.New(fault.RequestInvalid, "the file %.80q did not come with the request", f.Path)
			}
			blob, blobs = blobs[0], blobs[1:]
		}
		if strings.Contains(f.Path, "/") && (hidden(f.Path) || !checkpoint.Means(path.Base(f.Path))) {
			if len(g.unused) < maxUnused {
				g.unused = append(g.unused, recipe.UnusedFile{File: f.Path, Why: "it is no weight file, and describes none"})
			}
			continue
		}
		name := f.Path
		for n := 2; names[name]; n++ { // chosen in several folders
			name = fmt.Sprintf("%d/%s", n, f.Path)
		}
		names[name] = true
		p := &published{given: g, path: name}
		if f.Address == "" {
			p.bytes, p.from = int64(blob.Get("size").Float()), &picked{name, blob}
		} else {
			r := &remote{path: name, address: f.Address, given: g}
			if err := r.begin(ctx); err != nil {
				return nil, err
			}
			p.bytes, p.from = r.bytes, r
		}
		g.files = append(g.files, p)
	}
	if len(g.files) == 0 {
		return nil, fault.New(fault.WeightsNone, "of %d files none is a weight file (.safetensors, .sft or .gguf) or describes one", len(src.Files))
	}
	return g, nil
}

// hidden reports whether a name or one of the folders before it begins with a dot.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasPrefix(part, ".") })
}

// identify finds out what the files are.
func (g *given) identify() (*checkpoint.Found, error) {
	var files []checkpoint.File
	for _, p := range g.files {
		files = append(files, checkpoint.File{Name: p.path, Source: source{p, &g.window}})
	}
	return checkpoint.Identify(files)
}

// describe says what the files are, on a device of these limits.
func (g *given) describe(found *checkpoint.Found, limits map[string]int64) (*recipe.Published, *recipe.Description, error) {
	about, d, err := engine.DescribePublished(found, limits)
	if err != nil {
		return nil, nil, err
	}
	named := map[string]bool{}
	for _, u := range about.Unused {
		named[u.File] = true
	}
	for _, p := range g.files {
		if !found.Uses(p.path) && !named[p.path] {
			about.Unused = append(about.Unused, recipe.UnusedFile{File: p.path, Why: "no part of the model reads it"})
		}
	}
	about.Unused = append(about.Unused, g.unused...)
	return &about, d, nil
}

// describePublished says what published files are, of their headers alone.
func describePublished(ctx context.Context, src protocol.Source, blobs []js.Value) (answer protocol.DescribedBody, err error) {
	var s *store
	if src.Kept() {
		s = openStore()
	}
	g, err := gather(ctx, src, blobs, s, nil)
	if err != nil {
		return answer, err
	}
	defer g.hangUp()
	defer g.window.clear()
	found, err := g.identify()
	if err != nil {
		return answer, err
	}
	answer.Found, answer.Description, err = g.describe(found, gpu.Limits(ctx))
	return answer, err
}

// take makes a model of published files.
func (m *session) take(ctx context.Context, b protocol.LoadBody, blobs []js.Value, report func(protocol.ProgressBody)) error {
	g, err := gather(ctx, b.Source, blobs, m.store, (&counting{tell: report}).hear)
	if err != nil {
		return err
	}
	m.given, m.reading, m.kept = g, &g.reading, g.kept
	found, err := g.identify()
	if err != nil {
		return err
	}
	if m.bundle, err = engine.Open(found); err != nil {
		return err
	}
	if g.about, _, err = g.describe(found, m.be.Info().Limits); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := m.bundle.Manifest.Write(&text); err != nil {
		return err
	}
	g.manifest = text.Bytes()
	if m.store == nil {
		return nil
	}
	g.files = slices.DeleteFunc(g.files, func(p *published) bool { return !found.Uses(p.path) })
	return g.keep(ctx, &m.bundle.Manifest, report)
}

// inOrder reports whether files are read from their beginnings on, as those must be that a
// server sends as a whole only.
func (g *given) inOrder() bool { return g.headers || g.store.writable() }

// makeRoom closes the answers that were used longest ago, before another is opened.
func (g *given) makeRoom(r *remote) {
	g.remotes = append(slices.DeleteFunc(g.remotes, func(x *remote) bool { return x == r }), r)
	for len(g.remotes) > maxAnswers {
		g.remotes[0].hangUp()
		g.remotes = g.remotes[1:]
	}
}

// hangUp closes all answers.
func (g *given) hangUp() {
	for _, r := range g.remotes {
		r.hangUp()
	}
	g.remotes = nil
}
