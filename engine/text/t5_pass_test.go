package text

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
)

// invented makes up the weights that are asked for.
type invented struct {
	*cpu.Machine
	t     *testing.T
	rng   *rand.Rand
	named map[string][]float32
}

func (w *invented) Has(string) bool { return false }

func (w *invented) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = float32(w.rng.NormFloat64()) / 2
	}
	w.named[name] = values
	return w.Constant(name, use, rows, cols, values)
}

func (w *invented) Constant(name string, _ op.Use, rows, cols int, values []float32) *op.Tensor {
	x, err := w.New(name, op.F32, rows, cols)
	if err == nil {
		err = w.Write(x, values)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// states are those that a T5 gives of the ids, of which the first count are no padding.
func (w *invented) states(m *T5, tokens Tokens) []float32 {
	whole := func(name string, ids []uint32) *op.Tensor {
		x, err := w.New(name, op.U32, 1, len(ids))
		if err == nil {
			err = w.WriteU32(x, ids)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return x
	}
	n, d := len(tokens.IDs), m.Width
	p := Pass{IDs: whole("ids", tokens.IDs), Kept: whole("kept", tokens.Kept()), Mask: w.Constant("mask", op.UseVector, 1, n, tokens.Mask()),
		States: w.Constant("states", op.UseVector, n, d, make([]float32, n*d))}
	l := op.NewList("text")
	m.Encode(l, p)
	program, err := w.Compile(context.Background(), l)
	if err == nil {
		err = program.Run(context.Background())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.Read(context.Background(), p.States)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// T5 1.0 is what one token at a time gives: no gate, ReLU, and padding that no token reads
// and that has states of zeros.
func TestT5First(t *testing.T) {
	c := T5Config{VocabSize: 11, Width: 8, HeadDim: 4, MLP: 12, NumLayers: 2, NumHeads: 3, MaxLength: 21, EOS: 1, FeedForward: "relu", Masked: true, Zeroed: true}
	tokens := Tokens{Count: 16, IDs: make([]uint32, c.MaxLength)}
	for i := range tokens.Count - 1 {
		tokens.IDs[i] = uint32(2 + i%9)
	}
	tokens.IDs[tokens.Count-1] = 1
	load := func(c T5Config) (*invented, *T5) {
		w := &invented{cpu.New(cpu.Options{}), t, rand.New(rand.NewPCG(3, 4)), map[string][]float32{}}
		t.Cleanup(w.Close)
		m, err := LoadT5(c, w)
		if err != nil {
			t.Fatal(err)
		}
		return w, m
	}
	w, m := load(c)
	got, want := w.states(m, tokens), slowT5(c, w.named, tokens.IDs[:tokens.Count])
	for i, v := range got {
		switch {
		case i < len(want) && !(math.Abs(float64(v)-want[i]) < 1e-5):
			t.Fatalf("token %d, channel %d: %g, want %g", i/c.Width, i%c.Width, v, want[i])
		case i >= len(want) && v != 0:
			t.Fatalf("padding at token %d has the state %g", i/c.Width, v)
		}
	}
	c.Zeroed = false
	w, m = load(c)
	plain := w.states(m, tokens)
	if !slices.Equal(plain[:len(want)], got[:len(want)]) || slices.Equal(plain[len(want):], got[len(want):]) {
		t.Error("zeros change other states than those of padding, or none")
	}
	c.Masked = false
	w, m = load(c)
	if slices.Equal(w.states(m, tokens)[:len(want)], got[:len(want)]) {
		t.Error("padding that is attended to changes nothing")
	}
}

// slowT5 is the states of T5 1.0, in its words and one number at a time.
func slowT5(c T5Config, w map[string][]float32, ids []uint32) (x []float64) {
	d, n := c.Width, len(ids)
	for _, id := range ids {
		for _, v := range w["shared.weight"][int(id)*d : (int(id)+1)*d] {
			x = append(x, float64(v))
		}
	}
	norm := func(name string) []float64 {
		out := make([]float64, len(x))
		for i := range x {
			row, sum := x[i/d*d:i/d*d+d], 0.0
			for _, v := range row {
				sum += v * v / float64(d)
			}
			out[i] = x[i] / math.Sqrt(sum+1e-6) * float64(w[name+".weight"][i%d])
		}
		return out
	}
	product := func(a []float64, name string, in int) []float64 {
		m := w[name+".weight"]
		rows := len(m) / in
		out := make([]float64, len(a)/in*rows)
		for i := range out {
			for k := range in {
				out[i] += a[i/rows*in+k] * float64(m[i%rows*in+k])
			}
		}
		return out
	}
	add := func(y []float64) {
		for i := range x {
			x[i] += y[i]
		}
	}
	wide := c.NumHeads * c.HeadDim
	for layer := range c.NumLayers {
		at := []string{"encoder.block.0.layer.", "encoder.block.1.layer."}[layer]
		h := norm(at + "0.layer_norm")
		q, k, v := product(h, at+"0.SelfAttention.q", d), product(h, at+"0.SelfAttention.k", d), product(h, at+"0.SelfAttention.v", d)
		attn := make([]float64, n*wide)
		for head := range c.NumHeads {
			for i := range n {
				p, sum := make([]float64, n), 0.0
				for j := range n {
					logit := float64(w["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"][t5Bucket(j-i)*c.NumHeads+head])
					for e := head * c.HeadDim; e < (head+1)*c.HeadDim; e++ {
						logit += q[i*wide+e] * k[j*wide+e]
					}
					p[j] = math.Exp(logit)
					sum += p[j]
				}
				for j := range n {
					for e := head * c.HeadDim; e < (head+1)*c.HeadDim; e++ {
						attn[i*wide+e] += p[j] / sum * v[j*wide+e]
					}
				}
			}
		}
		add(product(attn, at+"0.SelfAttention.o", wide))
		h = product(norm(at+"1.layer_norm"), at+"1.DenseReluDense.wi", d)
		for i := range h {
			h[i] = max(h[i], 0)
		}
		add(product(h, at+"1.DenseReluDense.wo", c.MLP))
	}
	return norm("encoder.final_layer_norm")
}
