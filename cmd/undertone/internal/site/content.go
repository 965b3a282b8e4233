package site

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/engine/weights"

	"github.com/andybalholm/brotli"
)

// maxCard bounds a model card, in bytes.
const maxCard = 16 << 20

// content is all that a site will hold, by the files' addresses.
type content map[string]item

// item is one file: its bytes, or, where those are many, how to write them.
type item struct {
	data  []byte
	write func(io.Writer) error // nil where there are data
	sum   string                // SHA-256 in lower-case hexadecimal digits
}

// writeTo writes the file, and fails where it is not the one that was added.
func (i item) writeTo(w io.Writer) error {
	if i.write == nil {
		_, err := w.Write(i.data)
		return err
	}
	sum := sha256.New()
	if err := i.write(io.MultiWriter(w, sum)); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != i.sum {
		return fmt.Errorf("it changed while the site was built: its SHA-256 was %s, now %s", i.sum, got)
	}
	return nil
}

// add adds a file and, when asked, its twins where they save at least a tenth.
func (c content) add(ctx context.Context, name string, data []byte, twins bool) error {
	if _, taken := c[name]; taken {
		return fmt.Errorf("site: two files have the address %s", name)
	}
	c[name] = item{data: data, sum: fmt.Sprintf("%x", sha256.Sum256(data))}
	if !twins || len(data) < 1024 {
		return nil
	}
	var br, gz bytes.Buffer
	if err := compress(ctx, brotli.NewWriterLevel(&br, brotli.BestCompression), data); err != nil {
		return err
	}
	if br.Len() > len(data)*9/10 {
		return nil
	}
	g, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := compress(ctx, g, data); err != nil {
		return err
	}
	if err := c.add(ctx, name+".br", br.Bytes(), false); err != nil {
		return err
	}
	return c.add(ctx, name+".gz", gz.Bytes(), false)
}

func compress(ctx context.Context, w io.WriteCloser, data []byte) error {
	if err := copyTo(ctx, w, bytes.NewReader(data)); err != nil {
		return err
	}
	return w.Close()
}

func stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Wrap(context.Cause(ctx), fault.Aborted, "building the site was stopped")
	}
	return nil
}

// addModel adds a converted model, its files under content-hashed names. The
// manifest and every file are checked as the engine checks them, so that what is
// published can be loaded, and described for the page; symbolic links out of the folder are refused.
func (c content) addModel(ctx context.Context, folder string) error {
	b, err := weights.LoadBundle(ctx, weights.Dir(folder), "model.json")
	if err != nil {
		return err
	}
	to := path.Join("models", filepath.Base(folder))
	manifest := b.Manifest
	manifest.Files = slices.Clone(b.Files)
	for i, f := range b.Files {
		if manifest.Files[i].Path, err = c.addWeights(ctx, b, f, to); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	if err := manifest.Write(&text); err != nil {
		return err
	}
	if err := c.add(ctx, path.Join(to, "model.json"), text.Bytes(), false); err != nil {
		return err
	}
	description, err := describe(&manifest)
	if err != nil {
		return err
	}
	if err := c.add(ctx, path.Join(to, recipe.DescriptionName), description, false); err != nil {
		return err
	}
	return c.addCard(ctx, b, path.Join(to, "README.md"))
}

// addWeights adds a file of a model under the name that it returns, which has its hash in it.
func (c content) addWeights(ctx context.Context, b *weights.Bundle, f weights.File, to string) (string, error) {
	src, _, err := b.OpenFile(ctx, f.Name)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if err = f.Verify(ctx, src, nil); err == nil {
		err = copyTo(ctx, sum, io.NewSectionReader(src, 0, f.Bytes))
	}
	weights.Close(src)
	if err != nil {
		return "", err
	}
	hash := fmt.Sprintf("%x", sum.Sum(nil))
	ext := path.Ext(f.Path)
	name := strings.TrimSuffix(f.Path, ext) + "." + hash[:shortDigits] + ext
	c[path.Join(to, name)] = item{sum: hash, write: func(w io.Writer) error { return copyFile(ctx, w, b, f) }}
	return name, nil
}

// describe is what the page reads of a model: with it, it can say what there is
// without the engine. A model that the engine would refuse is not published.
func describe(m *weights.Manifest) ([]byte, error) {
	d, err := engine.Describe(m)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(d, "", " ")
	return append(text, '\n'), err
}

// copyFile copies a file of a model.
func copyFile(ctx context.Context, w io.Writer, b *weights.Bundle, f weights.File) error {
	src, _, err := b.OpenFile(ctx, f.Name)
	if err != nil {
		return err
	}
	defer weights.Close(src)
	return copyTo(ctx, w, io.NewSectionReader(src, 0, f.Bytes))
}

// copyTo is io.Copy that stops when ctx ends.
func copyTo(ctx context.Context, w io.Writer, r io.Reader) error {
	for {
		if err := stopped(ctx); err != nil {
			return err
		}
		switch _, err := io.CopyN(w, r, 64<<10); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// addCard adds the model card, where there is one.
func (c content) addCard(ctx context.Context, b *weights.Bundle, name string) error {
	const card = "README.md"
	src, err := b.Open(ctx, card)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer weights.Close(src)
	if src.Size() > maxCard {
		return fmt.Errorf("%s has %d bytes, at most %d", card, src.Size(), maxCard)
	}
	text, err := io.ReadAll(io.NewSectionReader(src, 0, src.Size()))
	if err != nil {
		return err
	}
	return c.add(ctx, name, text, false)
}

// addSums adds SHA256SUMS, which sha256sum -c reads.
func (c content) addSums() {
	var text strings.Builder
	for _, name := range c.names() {
		fmt.Fprintf(&text, "%s  %s\n", c[name].sum, name)
	}
	data := []byte(text.String())
	c["SHA256SUMS"] = item{data: data, sum: fmt.Sprintf("%x", sha256.Sum256(data))}
}

func (c content) names() []string { return slices.Sorted(maps.Keys(c)) }
