package weights

import (
	"cmp"
	"slices"

	"undertone/engine/op"
)

// safetensors: u64 length of a JSON header, the header (padded with spaces), the
// data. The header is one object, {"name": {"dtype", "shape", "data_offsets"}},
// where offsets count from the start of the data and leave no byte out; the key
// "__metadata__" holds an object of strings.
const (
	maxHeader     = 16 << 20
	minHeader     = 2
	minDescribed  = 50 // bytes of the shortest description of a tensor
	maxMetaText   = 256 << 10
	metadataField = "__metadata__"
)

// safeType is one row of the format's table of element types.
type safeType struct {
	name  string
	bytes int64
	dtype op.DType
}

var safeTypes = map[string]safeType{}

func init() {
	for _, t := range []safeType{
		{"F32", 4, op.F32}, {"F16", 2, op.F16}, {"BF16", 2, op.BF16},
		// Known, so that inspect can list any file; the engine does not compute with them.
		{"F64", 8, Unreadable}, {"I64", 8, Unreadable}, {"I32", 4, Unreadable}, {"I16", 2, Unreadable}, {"I8", 1, Unreadable},
		{"U64", 8, Unreadable}, {"U32", 4, Unreadable}, {"U16", 2, Unreadable}, {"U8", 1, Unreadable}, {"BOOL", 1, Unreadable},
		{"F8_E4M3", 1, Unreadable}, {"F8_E5M2", 1, Unreadable},
	} {
		safeTypes[t.name] = t
	}
}

func parseSafetensors(src op.Source, header uint64, first byte) (*Index, error) {
	switch {
	case header < minHeader || header > maxHeader:
		return nil, refuse(BadSize, "the header would have %d bytes, wanted %d to %d", header, minHeader, maxHeader)
	case int64(header) > src.Size()-8:
		return nil, refuse(Truncated, "the header has %d bytes, the file %d", header, src.Size())
	case first != '{':
		return nil, refuse(BadMagic, "the header begins with %q, wanted \"{\"", first)
	}
	start := 8 + int64(header)
	l := &lexer{cursor: newCursor(src, 8, start)}
	x := &Index{Format: "safetensors", Meta: map[string]any{}, Tensors: make([]Tensor, 0, min(MaxTensors, header/minDescribed+1))}
	meta := false
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		name := string(l.str(MaxName))
		l.expect(':')
		switch {
		case l.err != nil:
			return nil, l.err
		case name == metadataField && meta:
			return nil, refuse(Duplicate, "%s is there twice", metadataField)
		case name == metadataField:
			meta = true
			l.metadata(x.Meta)
		case name == "":
			return nil, refuse(Empty, "a tensor has no name")
		case len(x.Tensors) == MaxTensors:
			return nil, refuse(TooMany, "more than %d tensors", MaxTensors)
		default:
			t, err := l.description(name)
			if err != nil {
				return nil, err
			}
			x.Tensors = append(x.Tensors, t)
		}
	}
	for l.err == nil && l.left() > 0 {
		if at, b := l.off, l.take(); b != ' ' {
			return nil, refuse(BadSyntax, "byte %d, behind the header's end, is %q", at, b)
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	return x, place(x.Tensors, start, src.Size())
}

// place turns offsets in the data into offsets in the file, and makes sure that
// the tensors fill the data exactly.
func place(ts []Tensor, start, size int64) error {
	slices.SortFunc(ts, func(a, b Tensor) int { return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Name, b.Name)) })
	next := int64(0)
	for i := range ts {
		t := &ts[i]
		switch {
		case t.Offset > next:
			return refuse(Hole, "tensor %q begins at %d, the one before it ends at %d", t.Name, t.Offset, next)
		case t.Offset < next:
			return refuse(Overlap, "tensor %q begins at %d, the one before it ends at %d", t.Name, t.Offset, next)
		}
		next += t.Bytes
		t.Offset += start
	}
	switch have := size - start; {
	case next > have:
		return refuse(Truncated, "the tensors need %d bytes of data, the file has %d", next, have)
	case next < have:
		return refuse(Trailing, "the tensors end at %d, the file has %d bytes of data", next, have)
	}
	return nil
}

func (l *lexer) metadata(into map[string]any) {
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		if len(into) == maxPairs {
			l.bad(TooMany, "more than %d metadata pairs", maxPairs)
			return
		}
		key := string(l.str(MaxName))
		l.expect(':')
		if _, twice := into[key]; twice {
			l.bad(Duplicate, "metadata key %q is there twice", key)
		}
		if l.err == nil {
			into[key] = string(l.str(maxMetaText))
		}
	}
}

// description reads one tensor's object. Its Offset is relative to the data.
func (l *lexer) description(name string) (Tensor, error) {
	const dtype, shape, offsets = 1, 2, 4
	t := Tensor{Name: name}
	var dims [maxDims]int
	var rank, seen int
	var end, size int64
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		key, field := l.str(MaxName), 0
		switch string(key) {
		case "dtype":
			field = dtype
		case "shape":
			field = shape
		case "data_offsets":
			field = offsets
		}
		switch {
		case l.err != nil:
			return t, l.err
		case field == 0:
			return t, refuse(UnknownKey, "tensor %q has the key %q, known are dtype, shape and data_offsets", name, key)
		case seen&field != 0:
			return t, refuse(Duplicate, "tensor %q has two of %q", name, key)
		}
		seen |= field
		l.expect(':')
		switch field {
		case dtype:
			word := l.str(16)
			row, known := safeTypes[string(word)]
			if l.err == nil && !known {
				return t, refuse(UnknownType, "tensor %q has the element type %q, which is not known", name, word)
			}
			t.Type, t.DType, size = row.name, row.dtype, row.bytes
		case shape:
			rank = l.shape(name, &dims)
		case offsets:
			l.expect('[')
			t.Offset = l.integer("an offset")
			l.expect(',')
			end = l.integer("an offset")
			l.expect(']')
		}
	}
	if l.err != nil {
		return t, l.err
	}
	if seen != dtype|shape|offsets {
		return t, refuse(MissingKey, "tensor %q lacks one of dtype, shape and data_offsets", name)
	}
	t.Shape = append(make([]int, 0, rank), dims[:rank]...)
	n, err := product(name, t.Shape)
	if err != nil {
		return t, err
	}
	t.Bytes = n * size
	if end < t.Offset || end-t.Offset != t.Bytes {
		return t, refuse(BadExtent, "tensor %q of shape %v and type %s needs %d bytes, its offsets are %d to %d", name, t.Shape, t.Type, t.Bytes, t.Offset, end)
	}
	return t, nil
}

func (l *lexer) shape(name string, dims *[maxDims]int) int {
	rank := 0
	l.expect('[')
	for first := true; l.more(first, ']'); first = false {
		if rank == maxDims {
			l.bad(BadDims, "tensor %q has more than %d dimensions", name, maxDims)
			return 0
		}
		dims[rank] = int(l.integer("a dimension"))
		rank++
	}
	return rank
}
