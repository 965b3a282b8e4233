package ops

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// rig is what a case builds with: it makes tensors on one machine, fills them
// with the same numbers on every machine, and remembers what to compare.
type rig struct {
	t       *testing.T
	be      op.Backend
	list    *op.List
	rng     *rand.Rand
	framed  bool
	made    []*op.Tensor
	parents []*parent
	results []result
}

// gen makes the element at (row, col) of a tensor.
type gen func(rng *rand.Rand, row, col int) float32

// normal draws from a normal distribution around 0.
func normal(sigma float64) gen {
	return func(rng *rand.Rand, _, _ int) float32 { return float32(rng.NormFloat64() * sigma) }
}

// outliers is normal with one element in 37 twenty times as large, as the
// activations of trained transformers have them.
func outliers(sigma float64) gen {
	return func(rng *rand.Rand, _, _ int) float32 {
		v := rng.NormFloat64() * sigma
		if rng.IntN(37) == 0 {
			v *= 20
		}
		return float32(v)
	}
}

// poison fills what no result may depend on.
func poison(i int) float32 {
	if i%2 == 0 {
		return float32(math.NaN())
	}
	return 3e38
}

// space makes a rows × cols view of a larger tensor full of poison.
func (r *rig) space(rows, cols int) (*op.Tensor, *parent) {
	r.t.Helper()
	pr, pc, r0, c0 := rows, op.Pad(cols), 0, 0
	if r.framed {
		// No two tensors of a case lie alike, so that one's stride or offset cannot
		// stand in for another's.
		n := len(r.made)
		pr, pc, r0, c0 = rows+2+n%3, op.Pad(cols)+op.Align*(2+n), 1+n%3, op.Align*(1+n%2)
	}
	whole, err := r.be.New(fmt.Sprintf("x%d", len(r.made)), op.F32, pr, pc)
	must(r.t, "new", err)
	r.made = append(r.made, whole)
	q := &parent{whole: whole, before: make([]float32, pr*pc)}
	for i := range q.before {
		q.before[i] = poison(i)
	}
	r.parents = append(r.parents, q)
	return whole.Slice(r0, r0+rows).Columns(c0, c0+cols), q
}

// in makes an input.
func (r *rig) in(rows, cols int, g gen) *op.Tensor {
	r.t.Helper()
	v, q := r.space(rows, cols)
	for row := range rows {
		for col := range cols {
			q.before[v.Offset+row*v.Stride+col] = g(r.rng, row, col)
		}
	}
	must(r.t, "write", r.be.Write(q.whole, q.before))
	return v
}

// out makes room for a result, full of poison.
func (r *rig) out(rows, cols int) *op.Tensor {
	r.t.Helper()
	v, q := r.space(rows, cols)
	must(r.t, "write", r.be.Write(q.whole, q.before))
	r.check(v)
	return v
}

// room is out without the wish to compare anything: call check on views of it.
func (r *rig) room(rows, cols int) *op.Tensor {
	r.t.Helper()
	v, q := r.space(rows, cols)
	must(r.t, "write", r.be.Write(q.whole, q.before))
	return v
}

// inout makes a tensor that is read and then holds a result.
func (r *rig) inout(rows, cols int, g gen) *op.Tensor {
	r.t.Helper()
	v := r.in(rows, cols, g)
	r.check(v)
	return v
}

// check wants a view compared.
func (r *rig) check(v *op.Tensor) {
	for _, q := range r.parents {
		if q.whole.Storage == v.Storage {
			r.results = append(r.results, result{view: v, parent: q})
			return
		}
	}
	r.t.Fatalf("%s was not made by this case", v)
}

// u32 makes a U32 tensor [1, n] with the given contents.
func (r *rig) u32(data []uint32) *op.Tensor {
	r.t.Helper()
	v, err := r.be.New(fmt.Sprintf("u%d", len(r.made)), op.U32, 1, len(data))
	must(r.t, "new", err)
	r.made = append(r.made, v)
	must(r.t, "write", r.be.WriteU32(v, data))
	return v
}

// weight uploads rows × cols random values, stored as dt behind skip bytes of
// something else.
func (r *rig) weight(use op.Use, dt op.DType, rows, cols, skip int, g gen) *op.Tensor {
	r.t.Helper()
	return r.scaledWeight(use, dt, rows, cols, skip, 0, g)
}

// scaledWeight is weight with a scale for all elements (see op.WeightSpec). Types that
// nothing is encoded in get random blocks instead of values.
func (r *rig) scaledWeight(use op.Use, dt op.DType, rows, cols, skip int, scale float32, g gen) *op.Tensor {
	r.t.Helper()
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = g(r.rng, i/cols, i%cols)
	}
	stored := Blocks(dt, len(values), r.rng)
	if quant.Encodes(dt) {
		stored = Encode(dt, values)
	}
	data := append(bytes.Repeat([]byte{0xff}, skip), stored...)
	data = append(data, 0xff, 0xff, 0xff)
	w, err := r.be.Upload(context.Background(), op.WeightSpec{
		Name: fmt.Sprintf("w%d", len(r.made)), Use: use, DType: dt, Rows: rows, Cols: cols, Scale: scale,
		Data: bytes.NewReader(data), Offset: int64(skip),
	})
	must(r.t, "upload", err)
	r.made = append(r.made, w)
	return w
}

// vector uploads a bias or a norm's weight [1, n].
func (r *rig) vector(n int, g gen) *op.Tensor { return r.weight(op.UseVector, op.F32, 1, n, 0, g) }

// Encode stores values as dt, in the layout of GGUF and safetensors.
func Encode(dt op.DType, values []float32) []byte {
	elems, size := dt.Block()
	raw := make([]byte, len(values)/elems*size)
	quant.Quantize(dt, raw, values)
	return raw
}

// Blocks makes elements of dt out of random bytes, with finite scales of either sign
// that span those of trained weights.
func Blocks(dt op.DType, elems int, rng *rand.Rand) []byte {
	per, size := dt.Block()
	raw := make([]byte, elems/per*size)
	for i := range raw {
		raw[i] = byte(rng.Uint32())
		// Of the 8-bit floats neither NaN nor infinities, and nothing that hides the rest.
		if dt == op.F8_E4M3 && raw[i]&0x7f > 0x70 || dt == op.F8_E5M2 && raw[i]&0x7f > 0x50 {
			raw[i] &= 0x8f
		}
	}
	for block := 0; block < len(raw); block += size {
		for _, at := range quant.Halves(dt) {
			binary.LittleEndian.PutUint16(raw[block+at:], quant.ToFloat16(float32(rng.NormFloat64()*0.01)))
		}
	}
	return raw
}
