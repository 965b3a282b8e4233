package onnx

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// elem is the type of a tensor's elements, as onnx.proto numbers them.
type elem int64

const (
	float32s elem = 1
	uint8s   elem = 2
	int32s   elem = 6
	int64s   elem = 7
)

// The operator sets that the files ask for, and the version of their form.
const (
	opset     = 17
	microsoft = "com.microsoft"
	irVersion = 9
)

// attrs are the attributes of a node: int, float32, string or []int by name.
type attrs map[string]any

// node is an operator with the values that it reads and gives.
type node struct {
	domain, kind    string
	inputs, outputs []string
	attrs           attrs
}

// graph is a graph in the making. Values are named by strings; "" stands for an optional
// input that is not there.
type graph struct {
	name                      string
	nodes                     []node
	constants, inputs, output []message
	known                     map[string]bool // the constants that are shared
	values                    int
}

func newGraph(name string) *graph { return &graph{name: name, known: map[string]bool{}} }

// message is the node as onnx.proto has it.
func (n node) message() (m message) {
	for _, x := range n.inputs {
		m.text(1, x)
	}
	for _, x := range n.outputs {
		m.text(2, x)
	}
	m.text(4, n.kind)
	for _, name := range slices.Sorted(maps.Keys(n.attrs)) {
		var at message
		at.text(1, name)
		switch v := n.attrs[name].(type) {
		case float32:
			at.float(2, v)
			at.integer(20, 1)
		case int:
			at.integer(3, int64(v))
			at.integer(20, 2)
		case string:
			at.text(4, v)
			at.integer(20, 3)
		case []int:
			for _, x := range v {
				at.integer(8, int64(x))
			}
			at.integer(20, 7)
		default:
			panic(fmt.Sprintf("an attribute of type %T", v))
		}
		m.bytes(5, at)
	}
	if n.domain != "" {
		m.text(7, n.domain)
	}
	return m
}

// fresh is a name that nothing has yet.
func (g *graph) fresh() string {
	g.values++
	return fmt.Sprintf("v%d", g.values)
}

// op appends an operator with one output.
func (g *graph) op(kind string, a attrs, inputs ...string) string {
	out := g.fresh()
	g.nodes = append(g.nodes, node{"", kind, inputs, []string{out}, a})
	return out
}

// fused appends one of ONNX Runtime's own operators.
func (g *graph) fused(kind string, a attrs, inputs ...string) string {
	out := g.fresh()
	g.nodes = append(g.nodes, node{microsoft, kind, inputs, []string{out}, a})
	return out
}

func (g *graph) raw(t elem, shape []int, data []byte) string {
	name := g.fresh()
	g.named(name, t, shape, data)
	return name
}

func (g *graph) named(name string, t elem, shape []int, data []byte) {
	var m message
	for _, d := range shape {
		m.integer(1, int64(d))
	}
	m.integer(2, int64(t))
	m.text(8, name)
	m.bytes(9, data)
	g.constants = append(g.constants, m)
}

// floats is a constant; without a shape it is one number.
func (g *graph) floats(x []float32, shape ...int) string {
	data := make([]byte, 0, 4*len(x))
	for _, v := range x {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return g.raw(float32s, shape, data)
}

// ints is a constant list of whole numbers, the same value for the same list.
func (g *graph) ints(x ...int) string {
	name := fmt.Sprint("ints", x)
	if !g.known[name] {
		g.known[name] = true
		data := make([]byte, 0, 8*len(x))
		for _, v := range x {
			data = binary.LittleEndian.AppendUint64(data, uint64(v))
		}
		g.named(name, int64s, []int{len(x)}, data)
	}
	return name
}

func value(name string, t elem, shape []int) (m message) {
	var dims message
	for _, d := range shape {
		var dim message
		dim.integer(1, int64(d))
		dims.bytes(1, dim)
	}
	var tensor, kind message
	tensor.integer(1, int64(t))
	tensor.bytes(2, dims)
	kind.bytes(1, tensor)
	m.text(1, name)
	m.bytes(2, kind)
	return m
}

func (g *graph) input(name string, t elem, shape ...int) string {
	g.inputs = append(g.inputs, value(name, t, shape))
	return name
}

// gives makes a value an output of the graph, under this name.
func (g *graph) gives(x, name string, shape ...int) {
	for _, n := range g.nodes {
		for _, list := range [][]string{n.inputs, n.outputs} {
			for i := range list {
				if list[i] == x {
					list[i] = name
				}
			}
		}
	}
	g.output = append(g.output, value(name, float32s, shape))
}

// file is the whole as an ONNX file.
func (g *graph) file() []byte {
	var body message
	for _, n := range g.nodes {
		body.bytes(1, n.message())
	}
	for _, list := range []struct {
		field int
		all   []message
	}{{5, g.constants}, {11, g.inputs}, {12, g.output}} {
		for _, m := range list.all {
			body.bytes(list.field, m)
		}
	}
	body.text(2, g.name)
	var file message
	file.integer(1, irVersion)
	file.text(2, "undertone")
	file.bytes(7, body)
	for _, set := range []struct {
		domain  string
		version int64
	}{{"", opset}, {microsoft, 1}} {
		var m message
		m.text(1, set.domain)
		m.integer(2, set.version)
		file.bytes(8, m)
	}
	return file
}

func (g *graph) reshape(x string, shape ...int) string {
	return g.op("Reshape", nil, x, g.ints(shape...))
}

// split cuts x along an axis into pieces of these sizes.
func (g *graph) split(x string, axis int, sizes ...int) []string {
	var out []string
	for range sizes {
		out = append(out, g.fresh())
	}
	g.nodes = append(g.nodes, node{"", "Split", []string{x, g.ints(sizes...)}, slices.Clone(out), attrs{"axis": axis}})
	return out
}

// matMulNBits multiplies with weights [n, k] in blocks of Q8_0 or Q4_0, exactly as stored.
// Accuracy 4 lets ONNX Runtime quantize x to 8 bits too; 0 leaves it.
func (g *graph) matMulNBits(x string, dt op.DType, blocks []byte, n, k, accuracy int) string {
	const elems = 32
	_, size := dt.Block()
	bits := (size - 2) * 8 / elems
	packed, scales := make([]byte, 0, n*k*bits/8), make([]float32, 0, n*k/elems)
	for ; len(blocks) > 0; blocks = blocks[size:] {
		scales = append(scales, quant.Float16(binary.LittleEndian.Uint16(blocks)))
		q := blocks[2:size]
		if bits == 8 { // signed numbers; here they are those above a zero of 128
			for _, b := range q {
				packed = append(packed, b^0x80)
			}
			continue
		}
		// The first half of a block's elements in the low bits, the second in the high ones;
		// here neighbours share a byte.
		at := func(i int) byte { return q[i%(elems/2)] >> (4 * (i / (elems / 2))) & 15 }
		for i := 0; i < elems; i += 2 {
			packed = append(packed, at(i)|at(i+1)<<4)
		}
	}
	return g.fused("MatMulNBits", attrs{"K": k, "N": n, "bits": bits, "block_size": elems, "accuracy_level": accuracy},
		x, g.raw(uint8s, []int{n, k / elems, elems * bits / 8}, packed), g.floats(scales, len(scales)))
}

// attend is attention of q, k, v [1, rows, heads·size] as a product, a softmax and a
// product → [1, rows, heads, size]; mask is "" or added to the scores. ONNX Runtime's MultiHeadAttention is wrong on
// adapters whose subgroups have four lanes.
func (g *graph) attend(q, k, v string, rows, heads, size int, mask string) string {
	t := func(x string, perm ...int) string {
		return g.op("Transpose", attrs{"perm": perm}, g.reshape(x, 1, rows, heads, size))
	}
	p := g.op("MatMul", nil, t(q, 0, 2, 1, 3), t(k, 0, 2, 3, 1))
	p = g.op("Mul", nil, p, g.floats([]float32{float32(1 / math.Sqrt(float64(size)))}, 1))
	if mask != "" {
		p = g.op("Add", nil, p, mask)
	}
	y := g.op("MatMul", nil, g.op("Softmax", attrs{"axis": -1}, p), t(v, 0, 2, 1, 3))
	return g.op("Transpose", attrs{"perm": []int{0, 2, 1, 3}}, y)
}
