package scale

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"sort"

	"undertone/engine/op"
)

// Tensor is one tensor of a file.
type Tensor struct {
	Name  string
	DType op.DType
	Shape []int // outermost dimension first
}

func (t Tensor) bytes() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= int64(d)
	}
	elems, size := t.DType.Block()
	return n / int64(elems) * int64(size)
}

// File is a weight file of random numbers. It implements op.Source.
type File struct {
	Name   string
	head   []byte
	places []place // by their offsets
	size   int64
}

// place is where a tensor's bytes lie in its file.
type place struct {
	offset, bytes int64
	values        []byte // again and again, as the bytes of a file are
	phase         int64  // the byte of values that is the first
}

const align = 32 // of the tensors in a GGUF file

// lay gives the tensors their places, at multiples of align bytes, counted from the first.
func (f *File) lay(tensors []Tensor, align int64) {
	for i, t := range tensors {
		f.size = op.CeilDiv(f.size, align) * align
		values := pattern(t.DType)
		_, size := t.DType.Block()
		f.places = append(f.places, place{f.size, t.bytes(), values, int64(i*7919*size) % int64(len(values))})
		f.size += t.bytes()
	}
}

// begin puts the header before the tensors.
func (f *File) begin(head []byte) *File {
	f.head = head
	for i := range f.places {
		f.places[i].offset += int64(len(head))
	}
	f.size += int64(len(head))
	return f
}

// ggml's numbers for the types that are made here.
var ggml = map[op.DType]uint32{op.F32: 0, op.F16: 1, op.Q4_0: 2, op.Q8_0: 8, op.Q4_K: 12, op.BF16: 30}

// GGUF is a GGUF file of these tensors, in this order.
func GGUF(name, architecture string, tensors []Tensor) *File {
	f := &File{Name: name}
	f.lay(tensors, align)
	var b bytes.Buffer
	put := func(v any) { binary.Write(&b, binary.LittleEndian, v) }
	text := func(s string) { put(uint64(len(s))); b.WriteString(s) }
	b.WriteString("GGUF")
	put(uint32(3))
	put(uint64(len(tensors)))
	put(uint64(1)) // metadata pairs
	text("general.architecture")
	put(uint32(8)) // a string
	text(architecture)
	for i, t := range tensors {
		text(t.Name)
		put(uint32(len(t.Shape)))
		for _, d := range slices.Backward(t.Shape) {
			put(uint64(d))
		}
		put(ggml[t.DType])
		put(uint64(f.places[i].offset))
	}
	for b.Len()%align != 0 {
		b.WriteByte(0)
	}
	return f.begin(b.Bytes())
}

// Safetensors is a safetensors file of these tensors, in this order.
func Safetensors(name string, tensors []Tensor) *File {
	f := &File{Name: name}
	f.lay(tensors, 1)
	header := map[string]any{}
	for i, t := range tensors {
		p := f.places[i]
		header[t.Name] = map[string]any{"dtype": t.DType.String(), "shape": t.Shape, "data_offsets": []int64{p.offset, p.offset + p.bytes}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err) // of strings and numbers
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return f.begin(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...))
}

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return f.size }

// Head is how many bytes the header has.
func (f *File) Head() int64 { return int64(len(f.head)) }

// ReadAt makes bytes of the file. Errors: io.EOF behind its end.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	done := 0
	for done < len(b) && off < f.size {
		n := f.read(b[done:], off)
		done, off = done+n, off+int64(n)
	}
	if done < len(b) {
		return done, io.EOF
	}
	return done, nil
}

// read makes some of the bytes at an offset in the file, at least one.
func (f *File) read(b []byte, off int64) int {
	if off < f.Head() {
		return copy(b, f.head[off:])
	}
	i := sort.Search(len(f.places), func(i int) bool { return f.places[i].offset > off }) - 1
	p := f.places[i]
	if at := off - p.offset; at < p.bytes {
		return copy(b[:min(int64(len(b)), p.bytes-at)], p.values[(p.phase+at)%int64(len(p.values)):])
	}
	end := f.size // of the gap behind the tensor
	if i+1 < len(f.places) {
		end = f.places[i+1].offset
	}
	b = b[:min(int64(len(b)), end-off)]
	clear(b)
	return len(b)
}
