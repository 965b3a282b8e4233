package onnx

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"undertone/engine/op"
	"undertone/engine/quant"
	"undertone/engine/sample"
	"undertone/engine/weights"
)

// fields reads a message again: the values of each field, numbers as bytes of a varint.
func fields(t *testing.T, m []byte) map[int][][]byte {
	t.Helper()
	out := map[int][][]byte{}
	for len(m) > 0 {
		tag, n := binary.Uvarint(m)
		m = m[max(n, 0):]
		size := 4
		switch tag & 7 {
		case varint:
			_, size = binary.Uvarint(m)
		case delimited:
			bytes, n := binary.Uvarint(m)
			m, size = m[n:], int(bytes)
		case fixed32:
		default:
			t.Fatalf("wire type %d", tag&7)
		}
		if n <= 0 || size < 0 || size > len(m) {
			t.Fatalf("a field ends beyond its message")
		}
		out[int(tag>>3)] = append(out[int(tag>>3)], m[:size])
		m = m[size:]
	}
	return out
}

func number(b []byte) int64 {
	v, _ := binary.Uvarint(b)
	return int64(v)
}

func words(bs [][]byte) (out []string) {
	for _, b := range bs {
		out = append(out, string(b))
	}
	return out
}

// sound checks a file: constants are as long as their shapes say, every value that is read
// was given before and is given once, and the graph's outputs are given. It returns the
// operators and the constants' bytes by name.
func sound(t *testing.T, file []byte) (kinds []string, constants map[string][]byte) {
	t.Helper()
	model := fields(t, file)
	if number(model[1][0]) != irVersion || len(model[8]) != 2 {
		t.Errorf("version %d, %d operator sets", number(model[1][0]), len(model[8]))
	}
	g := fields(t, model[7][0])
	known := map[string]bool{"": true}
	give := func(name string) {
		if name == "" || known[name] {
			t.Errorf("%q is given twice or has no name", name)
		}
		known[name] = true
	}
	constants = map[string][]byte{}
	for _, c := range g[5] {
		f := fields(t, c)
		bytes := map[elem]int64{float32s: 4, uint8s: 1, int64s: 8}[elem(number(f[2][0]))]
		for _, d := range f[1] {
			bytes *= number(d)
		}
		name := string(f[8][0])
		give(name)
		constants[name] = f[9][0]
		if int64(len(f[9][0])) != bytes {
			t.Errorf("%s has %d bytes, its shape says %d", name, len(f[9][0]), bytes)
		}
	}
	for _, in := range g[11] {
		give(string(fields(t, in)[1][0]))
	}
	for _, n := range g[1] {
		f := fields(t, n)
		kind := string(f[4][0])
		kinds = append(kinds, kind)
		for _, x := range words(f[1]) {
			if !known[x] {
				t.Errorf("%s reads %q, which nothing gave", kind, x)
			}
		}
		for _, y := range words(f[2]) {
			give(y)
		}
	}
	for _, out := range g[12] {
		if name := string(fields(t, out)[1][0]); !known[name] {
			t.Errorf("the output %q is given by nothing", name)
		}
	}
	return kinds, constants
}

// Every kind of file is sound and holds the operator that it is of.
func TestKernels(t *testing.T) {
	for _, x := range []struct {
		k    Kernel
		want string
	}{
		{Kernel{Op: "MatMul", DType: "F32", M: 3, N: 5, K: 7}, "MatMul"},
		{Kernel{Op: "MatMul", DType: "Q8_0", M: 3, N: 5, K: 64}, "MatMulNBits"},
		{Kernel{Op: "MatMul", DType: "Q4_0", M: 3, N: 5, K: 32, Accuracy: 4}, "MatMulNBits"},
		{Kernel{Op: "Attention", Rows: 5, Heads: 2, D: 8}, "MultiHeadAttention"},
		{Kernel{Op: "Attention", Rows: 5, Heads: 2, D: 8, Plain: true}, "Softmax"},
		{Kernel{Op: "Conv3x3", H: 4, W: 6, Cin: 3, Cout: 2}, "Conv"},
	} {
		file, err := x.k.File()
		if err != nil {
			t.Errorf("%+v: %v", x.k, err)
			continue
		}
		again, err := x.k.File()
		if kinds, _ := sound(t, file); !slices.Contains(kinds, x.want) || err != nil || !bytes.Equal(file, again) {
			t.Errorf("%+v has the operators %v, wanted %s, and the same file twice", x.k, kinds, x.want)
		}
	}
	for _, k := range []Kernel{{Op: "Sort"}, {Op: "MatMul", DType: "Q8_0", N: 4, K: 33}, {Op: "MatMul", DType: "F16", N: 4, K: 32}, {Op: "MatMul", N: -1, K: 32}} {
		if _, err := k.File(); err == nil {
			t.Errorf("%+v is written", k)
		}
	}
}

// What ONNX Runtime makes of the packed blocks, (q − 2^(bits−1))·scale with neighbours in
// the low and high bits of a byte, is what they are decoded to here.
func TestBlocksAreTheSameNumbers(t *testing.T) {
	for _, dt := range []op.DType{op.Q8_0, op.Q4_0} {
		const n, k = 3, 64
		elems, size := dt.Block()
		blocks := make([]byte, n*k/elems*size)
		quant.Quantize(dt, blocks, noise(n*k, 1))
		want := make([]float32, n*k)
		quant.Dequantize(dt, want, blocks)
		g := newGraph("product")
		g.gives(g.matMulNBits(g.input("x", float32s, 1, k), dt, blocks, n, k, 0), "y", 1, n)
		_, constants := sound(t, g.file())
		node := g.nodes[len(g.nodes)-1]
		packed, scales, bits := constants[node.inputs[1]], constants[node.inputs[2]], node.attrs["bits"].(int)
		for i := range want {
			q := int(packed[i*bits/8])
			if bits == 4 {
				q = q >> (4 * (i % 2)) & 15
			}
			scale := math.Float32frombits(binary.LittleEndian.Uint32(scales[i/elems*4:]))
			if got := float32(q-1<<(bits-1)) * scale; got != want[i] {
				t.Fatalf("%s: number %d is %g, wanted %g", dt, i, got, want[i])
			}
		}
	}
}

// The shipped model's parts are sound, and hold every weight once.
func TestShippedModel(t *testing.T) {
	ctx := context.Background()
	b, err := weights.LoadBundle(ctx, weights.Dir("../../../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Load(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for part, want := range map[string]string{"text": "Gelu", "step": "RotaryEmbedding", "decode": "Resize"} {
		file, err := m.File(part, false, 0)
		if err != nil {
			t.Fatalf("%s: %v", part, err)
		}
		kinds, constants := sound(t, file)
		if !slices.Contains(kinds, want) {
			t.Errorf("%s has the operators %v, wanted %s", part, kinds, want)
		}
		for _, c := range constants {
			total += len(c)
		}
	}
	// Beside the weights, of four bytes each, there are only masks and tables.
	parameters := int64(0)
	for _, c := range b.Components {
		if c.Role != weights.RoleEncoder {
			parameters += 4 * c.Parameters
		}
	}
	if over := int64(total) - parameters; over < 0 || over > parameters/100 {
		t.Errorf("the parts hold %d bytes, the weights have %d", total, parameters)
	}
	if _, err := m.File("judge", false, 0); err == nil {
		t.Error("a part that does not exist is written")
	}
	in, err := m.Inputs(b.Defaults.Prompt, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Latent) != in.Rows*in.Width || len(in.Dts) != b.Defaults.Steps || len(in.Times) != len(in.Dts) || in.EOS < 1 || in.EOS >= len(in.IDs) {
		t.Errorf("a picture reads %d numbers of %d × %d, %d times, %d steps, its text ends at %d of %d",
			len(in.Latent), in.Rows, in.Width, len(in.Times), len(in.Dts), in.EOS, len(in.IDs))
	}
	// A token's channels: those of the first latent channel first, of it a square of pixels.
	height := 2 * m.side
	drawn := sample.Normal(3, in.Rows*in.Width)
	for i, at := range []int{0, 1, height, height + 1, height * height} {
		if in.Latent[i] != drawn[at] {
			t.Errorf("number %d of the first token is %g, wanted %g", i, in.Latent[i], drawn[at])
		}
	}
	sum := 0.0
	for _, dt := range in.Dts {
		sum += float64(dt)
	}
	if fmt.Sprintf("%.5f", sum) != "-1.00000" {
		t.Errorf("the steps lead over %g, wanted from 1 to 0", sum)
	}
}
