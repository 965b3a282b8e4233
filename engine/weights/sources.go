package weights

import "undertone/engine/op"

// Indexed is a source without a header, whose index is known: Parse answers x. Offsets
// count in src, which stays whoever's it is: nobody who opens the result closes it.
func Indexed(src op.Source, x *Index) op.Source { return &indexed{src: src, index: x} }

// indexed hides src's Close: it closes what was opened for it alone.
type indexed struct {
	src    op.Source
	index  *Index
	opened []op.Source
}

func (s *indexed) Size() int64                             { return s.src.Size() }
func (s *indexed) ReadAt(b []byte, off int64) (int, error) { return s.src.ReadAt(b, off) }
func (s *indexed) Run(off int64) (op.Source, int64, int64) { return op.RunAt(s.src, off) }

func (s *indexed) Close() error {
	for _, src := range s.opened {
		Close(src)
	}
	return nil
}

// NewBundle puts a manifest and its files together without a model.json, which files
// that somebody else published do not have. Its files may be without hashes: then
// nothing is compared with them. Errors: as ParseManifest's.
func NewBundle(m Manifest, o Opener) (*Bundle, error) {
	if err := m.checkAll(false); err != nil {
		return nil, err
	}
	return &Bundle{Manifest: m, opener: o}, nil
}
