package weights

import (
	"cmp"
	"slices"

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
	slices.SortFunc(index.Tensors, func(x, y Tensor) int { return cmp.Compare(x.Name, y.Name) })
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

// Whole is an open weight file with the tensors that lie beside it. Closing src closes it.
func (b *Bundle) Whole(file string, src op.Source) (op.Source, error) {
	more, there := b.beside[file]
	if !there {
		return src, nil
	}
	x, err := Parse(src)
	if err != nil {
		return nil, err
	}
	index, all := Join(x, src, more.index, more.src)
	return Indexed(all, index), nil
}
