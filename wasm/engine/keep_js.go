package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"time"

	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// The list of published files that are kept, in place of a model.json: web/store.js reads
// files, their bytes and pieces of it, and shows name, title and revision.
const (
	keptFormat  = "undertone-files"
	keptVersion = 1
)

// keptList is such a list.
type keptList struct {
	Format   string     `json:"format"`
	Version  int        `json:"version"`
	Name     string     `json:"name"`
	Title    string     `json:"title"`
	Revision string     `json:"revision"`
	Files    []keptFile `json:"files"`
}

// keptFile is a file of it. Pieces are the SHA-256 of those that are kept, from the first on.
type keptFile struct {
	Path    string   `json:"path"`
	Bytes   int64    `json:"bytes"`
	Pieces  []string `json:"pieces"`
	Address string   `json:"address,omitempty"` // where it came from, if it did not from the disk
	Tag     string   `json:"tag,omitempty"`     // of the server, for this content
}

// noteEvery is how often the list is written while pieces arrive: what is not listed may be
// swept away, and is fetched again after an interruption.
const noteEvery = 2 * time.Second

// kept is how many bytes the store has, and how many of them it had before.
func (g *given) kept() (stored, reused int64) {
	for _, p := range g.files {
		for i, there := range p.stored {
			if there {
				stored += p.pieceLength(i)
			}
		}
		reused += p.reused
	}
	return stored, reused
}

// list is what is kept.
func (g *given) list(m *weights.Manifest) []byte {
	l := keptList{Format: keptFormat, Version: keptVersion, Name: m.Name, Title: m.Title, Revision: m.Revision}
	for _, p := range g.files {
		f := keptFile{Path: p.path, Bytes: p.bytes, Pieces: append([]string{}, p.hashes...)}
		if r, ok := p.from.(*remote); ok {
			f.Address, f.Tag = r.address, r.tag
		}
		l.Files = append(l.Files, f)
	}
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // text and numbers
	}
	return text
}

// readKept reads a list, nil where it is none.
func readKept(text []byte) *keptList {
	var l keptList
	if json.Unmarshal(text, &l) != nil || l.Format != keptFormat || l.Version != keptVersion {
		return nil
	}
	for _, f := range l.Files {
		if f.Bytes < 0 || int64(len(f.Pieces)) > (f.Bytes+weights.PieceSize-1)/weights.PieceSize {
			return nil
		}
	}
	return &l
}

// recall finds files that are kept. Errors: FilesGone where there are none, or not all of
// them and no address to get the others from.
func (g *given) recall(ctx context.Context, address string) error {
	l := readKept(g.store.recall(ctx, address))
	if l == nil || len(l.Files) == 0 {
		return fault.New(fault.FilesGone, "there are no files of %.100s on this machine", address)
	}
	g.address = address
	for _, f := range l.Files {
		p := &published{given: g, path: f.Path, bytes: f.Bytes, hashes: f.Pieces}
		if f.Address != "" {
			p.from = &remote{path: f.Path, address: f.Address, given: g, bytes: f.Bytes, tag: f.Tag}
		}
		for i, hash := range p.hashes {
			there := g.store.presentBytes(ctx, hash, p.pieceLength(i))
			p.stored = append(p.stored, there)
			if there {
				p.reused += p.pieceLength(i)
			}
		}
		if p.from == nil && p.reused < p.bytes {
			return fault.New(fault.FilesGone, "of %s, a file of %d bytes, %d are kept on this machine", p.path, p.bytes, p.reused)
		}
		g.files = append(g.files, p)
	}
	return nil
}

// name is the address under which the files are kept: the model's name and a digest of
// what they are called, how long they are and how they begin.
func (g *given) name(m *weights.Manifest) (string, error) {
	sum := sha256.New()
	for _, p := range g.files {
		if p.first == "" {
			if _, err := p.piece(0); err != nil {
				return "", err
			}
		}
		fmt.Fprintf(sum, "%q %d %s\n", path.Base(p.path), p.bytes, p.first)
	}
	return protocol.StoredScheme + m.Name + "-" + hex.EncodeToString(sum.Sum(nil)[:4]), nil
}

// keep writes the files into the store. Where it takes no more, the rest is read from where
// it comes from whenever it is needed. Errors: those of the files' origins, and the store's
// refusal where a server sends a file as a whole only.
func (g *given) keep(ctx context.Context, m *weights.Manifest, report func(protocol.ProgressBody)) (err error) {
	if g.address == "" {
		if g.address, err = g.name(m); err != nil {
			return err
		}
	}
	c := &counting{tell: report}
	for _, p := range g.files {
		c.total += p.bytes
	}
	g.report = c.hear
	release := g.store.hold(ctx, g.address, func() int64 { return g.noted(ctx) }, func(done int64) {
		g.report(g.files[0].path, arrival{done: done, total: g.files[0].bytes, wait: protocol.WaitTab})
	})
	defer release()
	l := readKept(g.store.recall(ctx, g.address))
	if ctx.Err() != nil { // nothing was read: what is listed must stay
		return ctx.Err()
	}
	if l != nil {
		g.resume(l)
	}
	note := func(ctx context.Context) { g.store.remember(ctx, g.address, g.list(m), true) }
	note(ctx)
	err = g.write(ctx, c, note)
	// Stopped or not, what is there is listed, so that the next time goes on from it.
	note(context.WithoutCancel(ctx))
	if err == nil {
		g.store.sweep(ctx)
	}
	return err
}

// write writes what the store does not have yet, and has it noted on the way.
func (g *given) write(ctx context.Context, c *counting, note func(context.Context)) error {
	noted := time.Now()
	for _, p := range g.files {
		c.begin(p.path)
		p.reused = 0
		for i := 0; i < p.count(); i++ {
			same, err := p.keepPiece(ctx, i)
			if err != nil {
				return err
			}
			if !same { // it is another file than the one of which a part was kept
				p.hashes, p.stored, p.reused, i = nil, nil, 0, -1
				continue
			}
			g.report(p.path, arrival{done: min(int64(i+1)*weights.PieceSize, p.bytes), total: p.bytes, stored: p.reused})
			if !g.store.writable() {
				return g.unkept()
			}
			if time.Since(noted) > noteEvery {
				note(ctx)
				noted = time.Now()
			}
		}
		if p.from != nil {
			p.from.hangUp()
		}
		c.before += p.bytes
		c.reused += p.reused
	}
	return ctx.Err()
}

// unkept is what follows when the store takes no more: a file that comes as a whole only
// cannot be read again.
func (g *given) unkept() error {
	for _, p := range g.files {
		if r, ok := p.from.(*remote); ok && r.whole && p.bytes > weights.PieceSize && g.store.refused != nil {
			return g.store.refused
		}
	}
	return nil
}

// noted is how many bytes of the files are listed as kept.
func (g *given) noted(ctx context.Context) (n int64) {
	if l := readKept(g.store.recall(ctx, g.address)); l != nil {
		for _, f := range l.Files {
			n += min(f.Bytes, int64(len(f.Pieces))*weights.PieceSize)
		}
	}
	return n
}

// resume takes up what was kept before of the same files.
func (g *given) resume(l *keptList) {
	for _, f := range l.Files {
		for _, p := range g.files {
			if p.path != f.Path || p.bytes != f.Bytes {
				continue
			}
			if r, ok := p.from.(*remote); !ok || f.Address == r.address && f.Tag == r.tag {
				p.hashes = f.Pieces
			}
		}
	}
}

// keepPiece has a piece in the store. One that is there, and that a server would have to
// send again, is not asked for; of a file that is read from the disk, every piece is
// compared. It tells whether the piece is the one that is known.
func (p *published) keepPiece(ctx context.Context, i int) (same bool, err error) {
	s, n := p.given.store, p.pieceLength(i)
	known := i < len(p.hashes)
	if _, near := p.from.(*picked); known && !near && s.presentBytes(ctx, p.hashes[i], n) {
		p.note(i, p.hashes[i], true)
		p.reused += n
		return true, nil
	}
	if p.from == nil {
		_, err := p.fetch(ctx, i) // which says that it is gone
		return false, err
	}
	piece, err := p.from.piece(ctx, i, n)
	if err != nil {
		return false, err
	}
	defer release(piece)
	sum, err := digest(ctx, piece)
	if err != nil || known && sum != p.hashes[i] {
		return false, err
	}
	there := s.presentBytes(ctx, sum, n)
	switch {
	case !there:
		there = s.write(ctx, sum, piece)
		p.given.wrote[sum] = there
	case !p.given.wrote[sum]: // else it is a copy of what was written before
		p.reused += n
	}
	p.note(i, sum, there)
	return true, nil
}

// note remembers a piece, which is the next one or known already.
func (p *published) note(i int, hash string, stored bool) {
	for len(p.stored) <= i {
		p.stored = append(p.stored, false)
	}
	if i == len(p.hashes) {
		p.hashes = append(p.hashes, hash)
	}
	p.stored[i] = stored
}
