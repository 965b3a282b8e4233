package weights

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// Output is a tensor to be written. Write is asked for its bytes when the file
// has come to them, so that nothing need be in memory before.
type Output struct {
	Name  string
	DType op.DType
	Shape []int // outermost dimension first
	Write func(w io.Writer) error
}

// bytes is how long the tensor's data is (Shape, where blocks do not fit).
func (o Output) bytes() (int64, error) {
	n, err := product(o.Name, o.Shape)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, refuse(ZeroDim, "tensor %q of shape %v has no elements", o.Name, o.Shape)
	}
	if !quant.Encodes(o.DType) && !storedByGGUF(o.DType) {
		return 0, refuse(BadType, "tensor %q is to be written as %s", o.Name, o.DType)
	}
	elems, bytes := o.DType.Block()
	if len(o.Shape) > 0 && o.Shape[len(o.Shape)-1]%elems != 0 || len(o.Shape) == 0 && elems > 1 {
		return 0, refuse(BadBlock, "tensor %q of shape %v is to be written as %s, in blocks of %d", o.Name, o.Shape, o.DType, elems)
	}
	return n / int64(elems) * int64(bytes), nil
}

// sortedOutputs returns the tensors by name, with their sizes.
func sortedOutputs(ts []Output) ([]Output, []int64, error) {
	ts = slices.Clone(ts)
	sort.Slice(ts, func(i, j int) bool { return ts[i].Name < ts[j].Name })
	sizes := make([]int64, len(ts))
	for i, t := range ts {
		if len(t.Name) < 1 || len(t.Name) > maxName || i > 0 && ts[i-1].Name == t.Name {
			return nil, nil, refuse(Duplicate, "tensor name %.80q must be unique and have 1 to %d bytes", t.Name, maxName)
		}
		var err error
		if sizes[i], err = t.bytes(); err != nil {
			return nil, nil, err
		}
	}
	return ts, sizes, nil
}

// writeData writes the data of a tensor, which must have the size its shape gives.
func writeData(w io.Writer, t Output, size int64) error {
	n := &counter{w: w}
	if err := t.Write(n); err != nil {
		return err
	}
	if n.n != size {
		return fault.New(fault.Shape, "tensor %q has %d bytes, its shape %v of %s needs %d", t.Name, n.n, t.Shape, t.DType, size)
	}
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// Limits of what is written: bytes of a name, and dimensions.
const (
	maxName = 256
	maxRank = 8
)

// WriteGGUF writes a GGUF 3 file with an alignment of 32. Metadata is written
// sorted by key; its values are those of Pair.
func WriteGGUF(w io.Writer, meta map[string]any, tensors ...Output) error {
	ts, sizes, err := sortedOutputs(tensors)
	if err != nil {
		return err
	}
	out := &ggufWriter{w: bufio.NewWriterSize(w, 64<<10)}
	out.w.WriteString(ggufMagic)
	out.put(uint32(3), uint64(len(ts)), uint64(len(meta)))
	out.n += int64(len(ggufMagic))
	keys := make([]string, 0, len(meta))
	for k := range meta {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		out.text(k)
		if err := out.value(k, meta[k]); err != nil {
			return err
		}
	}
	offset := int64(0)
	for i, t := range ts {
		if len(t.Shape) < 1 || len(t.Shape) > ggufDims {
			return refuse(BadDims, "tensor %q has %d dimensions, GGUF has 1 to %d", t.Name, len(t.Shape), ggufDims)
		}
		out.text(t.Name)
		out.put(uint32(len(t.Shape)))
		for d := len(t.Shape) - 1; d >= 0; d-- {
			out.put(uint64(t.Shape[d]))
		}
		out.put(ggmlID(t.DType), uint64(offset))
		offset = roundUp(offset+sizes[i], ggufAlign)
	}
	for i, t := range ts {
		out.pad()
		if err := writeData(out.w, t, sizes[i]); err != nil {
			return err
		}
		out.n += sizes[i]
	}
	out.pad()
	return out.w.Flush()
}

func ggmlID(dt op.DType) uint32 {
	id, ok := findGGML(dt)
	if !ok {
		panic(fmt.Sprintf("weights: %s has no ggml type", dt))
	}
	return id
}

// findGGML is ggml's number of a type, where it has one.
func findGGML(dt op.DType) (id uint32, ok bool) {
	for id, t := range ggmlTypes {
		if t.dtype == dt && dt != Unreadable {
			return id, true
		}
	}
	return 0, false
}

// storedByGGUF reports whether GGUF files hold weights of a type.
func storedByGGUF(dt op.DType) bool {
	_, ok := findGGML(dt)
	return ok
}

// ggufWriter counts what it writes. Errors stick in the bufio.Writer until Flush.
type ggufWriter struct {
	w *bufio.Writer
	n int64
}

// put writes numbers (and slices of numbers) as little-endian.
func (g *ggufWriter) put(vs ...any) {
	for _, v := range vs {
		binary.Write(g.w, binary.LittleEndian, v)
		g.n += int64(binary.Size(v))
	}
}

func (g *ggufWriter) text(s string) {
	g.put(uint64(len(s)))
	g.w.WriteString(s)
	g.n += int64(len(s))
}

func (g *ggufWriter) pad() {
	for g.n%ggufAlign != 0 {
		g.put(uint8(0))
	}
}

func (g *ggufWriter) value(key string, v any) error {
	if s, ok := v.(string); ok {
		g.put(uint32(metaString))
		g.text(s)
		return nil
	}
	if kind, ok := scalarKind(v); ok {
		g.put(uint32(kind), v)
		return nil
	}
	switch a := v.(type) {
	case []string:
		g.put(uint32(metaArray), uint32(metaString), uint64(len(a)))
		for _, s := range a {
			g.text(s)
		}
	case []uint8:
		g.array(metaU8, len(a), a)
	case []int8:
		g.array(metaI8, len(a), a)
	case []uint16:
		g.array(metaU16, len(a), a)
	case []int16:
		g.array(metaI16, len(a), a)
	case []uint32:
		g.array(metaU32, len(a), a)
	case []int32:
		g.array(metaI32, len(a), a)
	case []float32:
		g.array(metaF32, len(a), a)
	case []bool:
		g.array(metaBool, len(a), a)
	case []uint64:
		g.array(metaU64, len(a), a)
	case []int64:
		g.array(metaI64, len(a), a)
	case []float64:
		g.array(metaF64, len(a), a)
	default:
		return refuse(BadValue, "metadata %q of Go type %T cannot be written to GGUF", key, v)
	}
	return nil
}

func (g *ggufWriter) array(kind, n int, a any) {
	g.put(uint32(metaArray), uint32(kind), uint64(n), a)
}

func scalarKind(v any) (int, bool) {
	switch v.(type) {
	case uint8:
		return metaU8, true
	case int8:
		return metaI8, true
	case uint16:
		return metaU16, true
	case int16:
		return metaI16, true
	case uint32:
		return metaU32, true
	case int32:
		return metaI32, true
	case float32:
		return metaF32, true
	case bool:
		return metaBool, true
	case uint64:
		return metaU64, true
	case int64:
		return metaI64, true
	case float64:
		return metaF64, true
	}
	return 0, false
}

// WriteSafetensors writes a safetensors file of F32, F16 and BF16 tensors in
// order of their names. The header is padded so that the data begins at a
// multiple of 8. meta may be nil.
func WriteSafetensors(w io.Writer, meta map[string]string, tensors ...Output) error {
	ts, sizes, err := sortedOutputs(tensors)
	if err != nil {
		return err
	}
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header := map[string]any{}
	if len(meta) > 0 {
		header[metadataField] = meta
	}
	offset := int64(0)
	for i, t := range ts {
		if t.DType.Quantized() || t.Name == metadataField || len(t.Shape) > maxRank {
			return refuse(BadType, "tensor %q of type %s and shape %v cannot be written to safetensors", t.Name, t.DType, t.Shape)
		}
		header[t.Name] = entry{t.DType.String(), append([]int{}, t.Shape...), [2]int64{offset, offset + sizes[i]}}
		offset += sizes[i]
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return refuse(BadSize, "the header has %d bytes, at most %d", len(text), maxHeader)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	binary.Write(out, binary.LittleEndian, uint64(len(text)))
	out.Write(text)
	for i, t := range ts {
		if err := writeData(out, t, sizes[i]); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Float32s makes an Output of values that lie in memory, encoded as dt.
func Float32s(name string, dt op.DType, shape []int, x []float32) Output {
	return Output{name, dt, shape, func(w io.Writer) error {
		elems, bytes := dt.Block()
		if len(x)%elems != 0 {
			return fault.New(fault.Shape, "tensor %q has %d elements, %s comes in blocks of %d", name, len(x), dt, elems)
		}
		b := make([]byte, len(x)/elems*bytes)
		quant.Quantize(dt, b, x)
		_, err := w.Write(b)
		return err
	}}
}
