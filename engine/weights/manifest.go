package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/tinyjson"
)

// ManifestFormat and ManifestVersion are what "format" and "version" of a model.json
// say that is written today. One of version 1 is read too, as the same Manifest.
const (
	ManifestFormat  = "undertone-model"
	ManifestVersion = 2
	maxManifest     = 256 << 10 // bytes; the hashes of a model of 10 GiB need 172 KiB
)

// Manifest is model.json: what a model consists of, what it offers and what it
// understands. The configurations of components and the schedules of presets are kept
// as they stand; they belong to engine/dit, engine/text, engine/vae and guidance,
// which check them (see Decode).
type Manifest struct {
	Format      string            `json:"format"`
	Version     int               `json:"version"`
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Family      string            `json:"family"` // the kind of the transformer
	Revision    string            `json:"revision"`
	Licenses    recipe.Licenses   `json:"licenses"`
	Files       []File            `json:"files"`
	Components  []Component       `json:"components"`
	Scheduler   sample.Schedule   `json:"scheduler"`
	Defaults    recipe.Defaults   `json:"defaults"`
	Sizes       []recipe.Size     `json:"sizes"` // of the pictures it can make
	MaxSteps    int               `json:"max_steps"`
	Presets     []recipe.Preset   `json:"presets"`
	Understands recipe.Vocabulary `json:"understands"`
	Examples    []string          `json:"examples"`
	Judge       *Judge            `json:"judge,omitempty"`
	// Rounding, 16, says that its pictures were measured to stay the same, to 40 dB at least, where
	// operands of products are rounded to so many bits; 0: nobody has.
	Rounding int `json:"rounding,omitempty"`
}

// File is one file of a model. Pieces are the SHA-256 of every 4 MiB of it,
// SHA256 the hash of the concatenated raw piece hashes; all in lower-case hex.
type File struct {
	Role   string   `json:"role"` // what is in it: "dit", "text", "vae", "tokenizer" or "encoder"
	Name   string   `json:"name"` // by which a component refers to it; unique
	Path   string   `json:"path"` // slash-separated, relative to model.json
	Bytes  int64    `json:"bytes"`
	Pieces []string `json:"pieces"`
	SHA256 string   `json:"sha256"`
}

// Bundle is a manifest together with access to its files.
type Bundle struct {
	Manifest
	opener Opener
	folder string
	beside map[string]piece // by the names of the files that they are part of
}

// LoadBundle reads and checks a manifest, and nothing else. Errors: ManifestInvalid,
// ModelUnsupported (another version, an unknown schedule), and the opener's. Which
// families there are is for package engine to say (engine.Supports).
func LoadBundle(ctx context.Context, o Opener, manifestPath string) (*Bundle, error) {
	src, err := o.Open(ctx, manifestPath)
	if err != nil {
		return nil, err
	}
	defer Close(src)
	if n := src.Size(); n > maxManifest {
		return nil, fault.New(fault.ManifestInvalid, "model.json has %d bytes, at most %d", n, maxManifest)
	}
	text := make([]byte, src.Size())
	if err := readFull(src, text, 0); err != nil {
		return nil, err
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, err
	}
	return &Bundle{Manifest: *m, opener: o, folder: path.Dir(manifestPath)}, nil
}

// ParseManifest checks the text of a model.json in three passes: that it is JSON
// without duplicate keys and within caps, that it has the manifest's fields and no
// others, and that every value is in range.
func ParseManifest(text []byte) (*Manifest, error) {
	if len(text) > maxManifest {
		return nil, fault.New(fault.ManifestInvalid, "model.json has %d bytes, at most %d", len(text), maxManifest)
	}
	whole := string(text)
	if err := checkJSON(whole); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "model.json is not acceptable")
	}
	var head struct {
		Format  string
		Version int
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "model.json is malformed")
	}
	switch {
	case head.Format != ManifestFormat:
		return nil, fault.New(fault.ManifestInvalid, "model.json has the format %.64q, wanted %q", head.Format, ManifestFormat)
	case head.Version < 1 || head.Version > ManifestVersion:
		return nil, fault.New(fault.ModelUnsupported, "model.json has version %d, supported: 1 to %d", head.Version, ManifestVersion)
	}
	var m Manifest
	var err error
	if head.Version == 1 {
		m, err = parse1(whole)
	} else {
		err = Decode(text, "model.json", &m)
	}
	if err != nil {
		return nil, err
	}
	for i := range m.Presets {
		if p := &m.Presets[i]; p.Schedule == nil {
			p.Schedule = tinyjson.Raw(`{"kind":"constant"}`)
		}
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Decode reads one JSON object of a manifest, such as a component's configuration,
// into a struct that must have all of its keys (ManifestInvalid).
func Decode(text []byte, what string, into any) error {
	return decode(bytes.NewReader(text), what, into)
}

func decode(text io.Reader, what string, into any) error {
	d := json.NewDecoder(text)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.Wrap(err, fault.ManifestInvalid, "%s is malformed", what)
	}
	return nil
}

// File finds a file by its name.
func (m *Manifest) File(name string) (*File, bool) {
	for i := range m.Files {
		if m.Files[i].Name == name {
			return &m.Files[i], true
		}
	}
	return nil, false
}

// Bytes is the size of all files together that are not optional: what a person has to
// download before the first picture.
func (m *Manifest) Bytes() (n int64) {
	for i := range m.Files {
		if !m.Files[i].Optional() {
			n += m.Files[i].Bytes
		}
	}
	return n
}

// RoleBytes is the size of the files of a role together.
func (m *Manifest) RoleBytes(role string) (n int64) {
	for _, f := range m.Files {
		if f.Role == role {
			n += f.Bytes
		}
	}
	return n
}

// ComponentBytes is the size of a component's weight files together.
func (m *Manifest) ComponentBytes(c Component) (n int64) {
	for _, name := range append(Names{c.File}, c.Shared...) {
		if f, ok := m.File(name); ok {
			n += f.Bytes
		}
	}
	return n
}

// Optional tells of a file that is fetched only when somebody asks for what it does: the
// encoder's, which reads reference pictures, and the judge's.
func (f *File) Optional() bool { return slices.Contains(optionalRoles, f.Role) }

// OpenFile opens a file by its name and compares its size with the manifest. Its
// contents are for Verify, or for a Source that checks pieces as they arrive.
func (b *Bundle) OpenFile(ctx context.Context, name string) (op.Source, *File, error) {
	f, ok := b.File(name)
	if !ok {
		return nil, nil, fault.New(fault.ManifestInvalid, "model.json names no file %.80q", name)
	}
	src, err := b.Open(ctx, f.Path)
	if err != nil {
		return nil, nil, err
	}
	if err := f.checkSize(src); err != nil {
		Close(src)
		return nil, nil, err
	}
	return src, f, nil
}

// Open opens a file by its path relative to the manifest.
func (b *Bundle) Open(ctx context.Context, name string) (op.Source, error) {
	return b.opener.Open(ctx, path.Join(b.folder, name))
}

// Close closes a source that can be closed.
func Close(src op.Source) {
	if c, ok := src.(io.Closer); ok {
		c.Close()
	}
}
