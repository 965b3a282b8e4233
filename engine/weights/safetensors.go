package weights

import (
	"strings"

	"undertone/engine/op"
)

// safetensors: u64 length of a JSON header, the header (padded with spaces), the
// data. The header is one object, {"name": {"dtype", "shape", "data_offsets"}},
// where offsets count from the start of the data; the key "__metadata__" holds an
// object of strings.
const (
	maxHeader     = 100_000_000 // bytes, the format's own limit; GGUF's headers are held to it too
	minHeader     = 2
	maxTypeName   = 64
	metadataField = "__metadata__"
)

func parseSafetensors(src op.Source, header uint64, first byte) (*Index, error) {
	switch {
	case first != '{':
		return nil, refuse(BadMagic, "the file begins neither as GGUF nor as safetensors: byte 8 is %q, wanted \"{\"", first)
	case header < minHeader || header > maxHeader:
		return nil, refuse(BadSize, "the header would have %d bytes, safetensors allows %d to %d", header, minHeader, maxHeader)
	case int64(header) > src.Size()-8:
		return nil, refuse(Truncated, "the header has %d bytes, the file %d", header, src.Size())
	}
	text, err := readText(src, 8, int64(header))
	if err != nil {
		return nil, err
	}
	l := newLexer(text, budget(int64(header)))
	x := &Index{Format: "safetensors"}
	if err := l.header(x, int64(header)); err != nil {
		return nil, err
	}
	return x, x.place(8+int64(header), src.Size(), 1)
}

// readText reads n bytes into a string, through a small buffer.
func readText(src op.Source, off, n int64) (string, error) {
	var text strings.Builder
	text.Grow(int(n))
	buf := make([]byte, min(16<<10, n))
	for end := off + n; off < end; off += int64(len(buf)) {
		buf = buf[:min(int64(len(buf)), end-off)]
		if err := readFull(src, buf, off); err != nil {
			return "", err
		}
		text.Write(buf)
	}
	return text.String(), nil
}

// header reads the whole header; its own text has been paid for by the caller.
func (l *lexer) header(x *Index, size int64) error {
	tensors, pairs := count(l.text)
	if !l.charge(size + tensors*tensorBytes + pairs*pairBytes) {
		return l.err
	}
	x.Tensors, x.Meta = make([]Tensor, 0, tensors), make([]Pair, 0, pairs)
	meta := false
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		name := l.str(maxHeader)
		l.expect(':')
		switch {
		case l.err != nil:
			return l.err
		case name == metadataField && meta:
			return refuse(Duplicate, "%s is there twice", metadataField)
		case name == metadataField:
			meta = true
			l.metadata(x)
		default:
			t, err := l.description(name)
			if err != nil {
				return err
			}
			x.Tensors = append(x.Tensors, t)
		}
	}
	for l.err == nil && l.left() > 0 {
		if b := l.take(); b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return refuse(BadSyntax, "byte %d, behind the header's end, is %q", l.at-1, b)
		}
	}
	if l.err != nil {
		return l.err
	}
	return sortPairs(x.Meta)
}

// count finds out how many tensors and metadata pairs a good header describes, at
// most, so that their memory is set aside once. A tensor is one key of the outer
// object and three inner ones.
func count(text string) (tensors, pairs int64) {
	depth, inside := 0, false
	var keys [3]int64 // by depth
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case inside && b == '\\':
			i++
		case b == '"':
			inside = !inside
		case inside:
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			depth--
		case b == ':' && depth >= 1 && depth <= 2:
			keys[depth]++
		}
	}
	return keys[1], max(0, keys[2]-3*max(0, keys[1]-1))
}

// metadata reads an object of texts; null, which some writers leave in the place of
// one or of all of them, is listed as nil.
func (l *lexer) metadata(x *Index) {
	if l.null() {
		return
	}
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		key := l.str(maxHeader)
		l.expect(':')
		var value any
		if !l.null() {
			if s := l.str(maxHeader); s == "" || l.charge(16) { // for the interface
				value = s
			}
		}
		if l.err == nil {
			x.Meta = append(x.Meta, Pair{key, value})
		}
	}
}

// description reads one tensor's object. Its Offset is relative to the data.
func (l *lexer) description(name string) (Tensor, error) {
	const dtype, shape, offsets = 1, 2, 4
	t := Tensor{Name: name}
	var seen int
	var end int64
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		key, field := l.str(maxHeader), 0
		switch key {
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
			return t, refuse(UnknownKey, "tensor %.80q has the key %.80q, known are dtype, shape and data_offsets", name, key)
		case seen&field != 0:
			return t, refuse(Duplicate, "tensor %.80q has two of %q", name, key)
		}
		seen |= field
		l.expect(':')
		switch field {
		case dtype:
			t.Type = l.str(maxTypeName)
		case shape:
			t.Shape = l.shape()
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
		return t, refuse(MissingKey, "tensor %.80q lacks one of dtype, shape and data_offsets", name)
	}
	return t, t.measure(end)
}

// measure finds the type of a tensor of safetensors in the table and compares its
// shape with the length that its offsets give.
func (t *Tensor) measure(end int64) error {
	n, err := product(t.Name, t.Shape)
	if err != nil {
		return err
	}
	if end < t.Offset {
		return refuse(BadExtent, "tensor %.80q has the offsets %d to %d", t.Name, t.Offset, end)
	}
	row, known := safetensorsTypes[t.Type]
	if !known {
		t.DType, t.Bytes = Unknown, end-t.Offset
		return nil
	}
	t.DType, t.Bytes = row.dtype, n/row.elems*row.bytes
	switch {
	case n%row.elems != 0:
		return refuse(BadBlock, "tensor %.80q has %d elements, %s packs %d into %d bytes", t.Name, n, row.name, row.elems, row.bytes)
	case end-t.Offset != t.Bytes:
		return refuse(BadExtent, "tensor %.80q of shape %s and type %s needs %d bytes, its offsets are %d to %d", t.Name, short(t.Shape), t.Type, t.Bytes, t.Offset, end)
	}
	return nil
}

// shape reads a list of dimensions, after counting them.
func (l *lexer) shape() []int {
	l.peek()
	n := int64(strings.Count(l.text[l.at:l.at+max(0, strings.IndexByte(l.text[l.at:], ']'))], ",") + 1)
	if !l.charge(8 * n) {
		return nil
	}
	dims := make([]int, 0, n)
	l.expect('[')
	for first := true; l.more(first, ']'); first = false {
		dims = append(dims, int(l.integer("a dimension")))
	}
	return dims
}
