package weights

import (
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// piece is part of a weight file that lies in a file of its own.
type piece struct {
	index *Index
	src   op.Source
}

// Join puts the tensors of a second weight file behind those of a first one. Nothing is
// copied.
func Join(x *Index, src op.Source, more *Index, beside op.Source) (*Index, op.Source) {
	all := &Joined{}
	all.Append(src, 0, src.Size())
	all.Append(beside, 0, beside.Size())
	index := &Index{Format: x.Format, Tensors: slices.Clone(x.Tensors)}
	for _, t := range more.Tensors {
		t.Offset += src.Size()
		index.Tensors = append(index.Tensors, t)
	}
	sortByName(index.Tensors)
	return index, all
}

// With is the bundle with another manifest, in which a weight file has further tensors,
// which lie in src: whoever opened that closes it when the bundle is used no more. The
// file's size and hashes remain those of what the bundle itself has of it.
func (b *Bundle) With(m Manifest, file string, x *Index, src op.Source) *Bundle {
	other := *b
	other.Manifest, other.beside = m, map[string]piece{file: {x, src}}
	return &other
}

// OpenWhole opens a component's weight file by its name, with the tensors of the files
// that it shares with other models, and with those that lie beside it. open opens one file.
// Errors: ManifestInvalid where two files have a tensor of one name, Parse's and open's.
func (b *Bundle) OpenWhole(file string, open func(name string) (op.Source, error)) (op.Source, error) {
	all, more := &indexed{}, b.owner(file).Shared
	beside, there := b.beside[file]
	for _, name := range append(Names{file}, more...) {
		src, err := open(name)
		if err == nil && len(more) == 0 && !there {
			return src, nil
		}
		if err == nil {
			all.opened = append(all.opened, src)
			err = all.join(src)
		}
		if err != nil {
			all.Close()
			return nil, err
		}
	}
	if there {
		all.index, all.src = Join(all.index, all.src, beside.index, beside.src)
	}
	return all, nil
}

// join adds the tensors of another file.
func (s *indexed) join(src op.Source) error {
	x, err := Parse(src)
	if err != nil || s.index == nil {
		s.index, s.src = x, src
		return err
	}
	for _, t := range x.Tensors {
		if _, twice := s.index.Lookup(t.Name); twice {
			return fault.New(fault.ManifestInvalid, "two files of one component have a tensor %q", t.Name)
		}
	}
	s.index, s.src = Join(s.index, s.src, x, src)
	return nil
}
