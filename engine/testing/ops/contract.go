package ops

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// Contract checks what [op.Backend] promises beside the mathematics: memory,
// copies at the head of a run, replay, refusal of broken weights, cancellation.
func Contract(t *testing.T, be op.Backend) {
	for _, c := range []struct {
		name string
		run  func(c contract)
	}{
		{"New is zero-filled", contract.newIsZero},
		{"Write and Read", contract.writeRead},
		{"Write and Read views", contract.views},
		{"Write refuses a wrong length", contract.wrongLength},
		{"Read after Write after Run", contract.readAfterWrite},
		{"Run twice", contract.runTwice},
		{"Copies at the head", contract.copies},
		{"Two programs", contract.twoPrograms},
		{"Free", contract.free},
		{"Weights not finite", contract.notFinite},
		{"Weights truncated", contract.truncated},
		{"Shape error", contract.shape},
		{"Ids over the end", contract.idsOverTheEnd},
		{"Router not a number", contract.routerNaN},
		{"Cancelled", contract.cancelled},
		{"Info", contract.info},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(contract{t, be, context.Background()}) })
	}
}

type contract struct {
	*testing.T
	be  op.Backend
	ctx context.Context
}

func (c contract) ok(what string, err error) {
	c.Helper()
	must(c.T, what, err)
}

// tensor makes a Fixed tensor holding data.
func (c contract) tensor(rows, cols int, data ...float32) *op.Tensor {
	c.Helper()
	x, err := c.be.New("contract", op.F32, rows, cols)
	c.ok("new", err)
	c.Cleanup(func() { c.be.Free(x) })
	if data != nil {
		c.ok("write", c.be.Write(x, data))
	}
	return x
}

func (c contract) program(record func(l *op.List)) op.Program {
	c.Helper()
	l := op.NewList("contract")
	record(l)
	p, err := c.be.Compile(c.ctx, l)
	c.ok("compile", err)
	c.Cleanup(p.Close)
	return p
}

func (c contract) want(x *op.Tensor, want ...float32) {
	c.Helper()
	got, err := c.be.Read(c.ctx, x)
	c.ok("read", err)
	if !slices.Equal(got, want) {
		c.Errorf("%s is %v, want %v", x, got, want)
	}
}

// count returns from, from+1, … (n numbers).
func count(from, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(from + i)
	}
	return s
}

func (c contract) newIsZero() {
	c.want(c.tensor(3, 5), make([]float32, 15)...)
	u, err := c.be.New("u", op.U32, 1, 7)
	c.ok("new", err)
	defer c.be.Free(u)
	got, err := c.be.ReadU32(c.ctx, u)
	c.ok("read", err)
	if !slices.Equal(got, make([]uint32, 7)) {
		c.Errorf("a new U32 tensor holds %v", got)
	}
}

func (c contract) writeRead() {
	for _, s := range [][2]int{{1, 1}, {1, 7}, {5, 3}, {31, 33}, {4, 64}, {129, 255}} {
		data := count(-3, s[0]*s[1])
		x := c.tensor(s[0], s[1], data...)
		c.want(x, data...)
		c.want(x, data...) // reading changes nothing
	}
	u, err := c.be.New("u", op.U32, 1, 5)
	c.ok("new", err)
	defer c.be.Free(u)
	data := []uint32{0, 1, 0x7fc00000, 0xff800000, 0xffffffff}
	c.ok("write", c.be.WriteU32(u, data))
	got, err := c.be.ReadU32(c.ctx, u)
	c.ok("read", err)
	if !slices.Equal(got, data) {
		c.Errorf("wrote %x, read %x", data, got)
	}
}

func (c contract) views() {
	x := c.tensor(4, 8, count(0, 32)...)
	c.want(x.Slice(1, 3), count(8, 16)...)
	c.want(x.Columns(4, 7).Slice(2, 4), 20, 21, 22, 28, 29, 30)
	c.ok("write", c.be.Write(x.Slice(3, 4), count(100, 8)))
	c.ok("write", c.be.Write(x.Columns(4, 7).Slice(0, 2), []float32{-1, -2, -3, -4, -5, -6}))
	c.want(x, slices.Concat([]float32{0, 1, 2, 3, -1, -2, -3, 7, 8, 9, 10, 11, -4, -5, -6, 15}, count(16, 8), count(100, 8))...)
}

func (c contract) wrongLength() {
	x := c.tensor(2, 3, count(1, 6)...)
	for _, n := range []int{0, 5, 7, 8} {
		if err := c.be.Write(x, make([]float32, n)); err == nil {
			c.Errorf("writing %d elements into %s gave no error", n, x)
		}
	}
	c.want(x, count(1, 6)...)
}

func (c contract) readAfterWrite() {
	x, y := c.tensor(1, 5, count(1, 5)...), c.tensor(1, 5)
	p := c.program(func(l *op.List) { l.Activation(x, op.None, y) })
	c.ok("run", p.Run(c.ctx))
	// A write lies in order between the runs around it.
	c.ok("write", c.be.Write(x, count(10, 5)))
	c.want(y, count(1, 5)...)
	c.ok("run", p.Run(c.ctx))
	c.ok("write", c.be.Write(x, count(20, 5)))
	c.want(y, count(10, 5)...)
	c.ok("write", c.be.Write(y, count(30, 5)))
	c.want(y, count(30, 5)...)
	c.want(x, count(20, 5)...)
}

func (c contract) runTwice() {
	x, v, dt := c.tensor(1, 3, 1, 2, 3), c.tensor(1, 3, 4, 8, -4), c.tensor(1, 1, 0.25)
	p := c.program(func(l *op.List) { l.Euler(x, v, dt) })
	c.ok("run", p.Run(c.ctx))
	c.ok("run", p.Run(c.ctx))
	c.want(x, 3, 6, 1)
	c.ok("write", c.be.Write(dt, []float32{-0.5}))
	c.ok("run", p.Run(c.ctx))
	c.ok("sync", c.be.Sync(c.ctx))
	c.want(x, 1, 2, 3)
	if s := p.Stats(); s.Dispatches < 1 {
		c.Errorf("one operation in %d dispatches", s.Dispatches)
	}
}

func (c contract) copies() {
	// The modulation table of all steps, one row of which goes to its place at
	// the head of each step; the list must see it.
	table := c.tensor(3, 6, count(1, 18)...)
	step, other, out := c.tensor(1, 6), c.tensor(2, 3), c.tensor(1, 6)
	p := c.program(func(l *op.List) { l.Add(step, step, out) })
	for i := range 3 {
		c.ok("run", p.Run(c.ctx, op.Copy{Dst: step, Src: table.Slice(i, i+1)}))
		want := count(1+6*i, 6)
		c.want(step, want...)
		for j := range want {
			want[j] *= 2
		}
		c.want(out, want...)
	}
	src := c.tensor(2, 3, count(50, 6)...)
	c.ok("run", p.Run(c.ctx, op.Copy{Dst: other, Src: src}, op.Copy{Dst: step, Src: table.Slice(0, 1)}))
	c.want(other, count(50, 6)...)
	c.want(out, 2, 4, 6, 8, 10, 12)
	// Into a row of a table.
	c.ok("run", p.Run(c.ctx, op.Copy{Dst: table.Slice(1, 2), Src: step}))
	c.want(table, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 13, 14, 15, 16, 17, 18)
}

func (c contract) twoPrograms() {
	x, y := c.tensor(3, 4, count(0, 12)...), c.tensor(3, 4)
	// Each has temporaries of its own.
	double := c.program(func(l *op.List) { l.Copy(l.Add(x, x, nil), y) })
	back := c.program(func(l *op.List) { l.Copy(l.Add(y, y, nil), x) })
	for range 2 {
		c.ok("run", double.Run(c.ctx))
		c.ok("run", back.Run(c.ctx))
	}
	want := count(0, 12)
	for i := range want {
		want[i] *= 16
	}
	c.want(x, want...)
}

func (c contract) free() {
	c.be.Free()
	c.be.Free(nil, nil)
	x, err := c.be.New("x", op.F32, 64, 64)
	c.ok("new", err)
	c.ok("write", c.be.Write(x, count(1, 64*64)))
	c.be.Free(x, nil)
	c.want(c.tensor(64, 64), make([]float32, 64*64)...) // memory used again is zero-filled too
}

// stored is a weight in a file of its own, [2, 64].
func stored(use op.Use, dt op.DType, raw []byte) op.WeightSpec {
	return op.WeightSpec{Name: "block.7.weight", Use: use, DType: dt, Rows: 2, Cols: 64, Data: bytes.NewReader(raw)}
}

func (c contract) notFinite() {
	ones := make([]float32, 128)
	for i := range ones {
		ones[i] = 1
	}
	for _, bad := range []struct {
		name string
		dt   op.DType
		at   int
		raw  []byte
	}{
		{"F32 NaN", op.F32, 4 * 127, []byte{0, 0, 0xc0, 0x7f}},
		{"F32 infinity", op.F32, 0, []byte{0, 0, 0x80, 0xff}},
		{"F16 NaN", op.F16, 2 * 63, []byte{1, 0x7e}},
		{"F16 infinity", op.F16, 2 * 64, []byte{0, 0x7c}},
		{"BF16 NaN", op.BF16, 2 * 5, []byte{0xc0, 0xff}},
		{"BF16 infinity", op.BF16, 2 * 100, []byte{0x80, 0x7f}},
		{"Q8_0 scale NaN", op.Q8_0, 34, []byte{0, 0x7e}},
		{"Q8_0 scale infinity", op.Q8_0, 3 * 34, []byte{0, 0xfc}},
		{"Q4_0 scale NaN", op.Q4_0, 2 * 18, []byte{0xff, 0x7f}},
		{"Q4_0 scale infinity", op.Q4_0, 0, []byte{0, 0x7c}},
	} {
		c.T.Run(bad.name, func(t *testing.T) {
			raw := Encode(bad.dt, ones)
			copy(raw[bad.at:], bad.raw)
			err := c.upload(stored(op.UseMatrix, bad.dt, raw))
			if !fault.Is(err, fault.WeightsNotFinite) {
				t.Errorf("uploading gave %v, want the fault %s", err, fault.WeightsNotFinite)
			} else if !bytes.Contains([]byte(err.Error()), []byte("block.7.weight")) {
				t.Errorf("%q does not name the weight", err)
			}
		})
	}
	// Each scale of each format of blocks, in a block that is neither the first nor the last.
	rng := rand.New(rand.NewPCG(1, 2))
	for _, dt := range weightTypes {
		elems, size := dt.Block()
		spec := op.WeightSpec{Name: "block.7.weight", Use: op.UseMatrix, DType: dt, Rows: 3, Cols: 2 * elems}
		for _, at := range quant.Halves(dt) {
			for _, bits := range []uint16{0x7c00, 0xfc00, 0x7e01} {
				raw := Blocks(dt, 6*elems, rng)
				binary.LittleEndian.PutUint16(raw[3*size+at:], bits)
				spec.Data = bytes.NewReader(raw)
				if err := c.upload(spec); !fault.Is(err, fault.WeightsNotFinite) {
					c.Errorf("%s: a scale of %04x at %d gave %v, want the fault %s", dt, bits, at, err, fault.WeightsNotFinite)
				}
			}
		}
	}
	for _, bad := range []struct {
		dt   op.DType
		code byte
	}{{op.F8_E4M3, 0x7f}, {op.F8_E4M3, 0xff}, {op.F8_E5M2, 0x7c}, {op.F8_E5M2, 0xfc}, {op.F8_E5M2, 0x7d}} {
		if err := c.upload(op.WeightSpec{Name: "w", DType: bad.dt, Rows: 3, Cols: 5, Data: bytes.NewReader(append(make([]byte, 14), bad.code))}); !fault.Is(err, fault.WeightsNotFinite) {
			c.Errorf("%s: the code %02x gave %v, want the fault %s", bad.dt, bad.code, err, fault.WeightsNotFinite)
		}
	}
	// Told once, the machine goes on.
	w, err := c.be.Upload(c.ctx, stored(op.UseMatrix, op.F32, Encode(op.F32, ones)))
	c.ok("upload", err)
	defer c.be.Free(w)
	c.ok("sync", c.be.Sync(c.ctx))
	for _, use := range []op.Use{op.UseVector, op.UseConv3x3} {
		raw := Encode(op.F32, ones[:72])
		copy(raw[40:], Encode(op.F32, []float32{float32(math.Inf(1))}))
		spec := stored(use, op.F32, raw)
		spec.Rows, spec.Cols = 2, 36
		w, err := c.be.Upload(c.ctx, spec)
		if err == nil {
			err = c.be.Sync(c.ctx)
		}
		if !fault.Is(err, fault.WeightsNotFinite) {
			c.Errorf("use %d: uploading gave %v, want the fault %s", use, err, fault.WeightsNotFinite)
		}
		c.be.Free(w)
	}
}

// upload uploads a weight, waits, and gives it back.
func (c contract) upload(spec op.WeightSpec) error {
	w, err := c.be.Upload(c.ctx, spec)
	if err == nil {
		err = c.be.Sync(c.ctx)
	}
	c.be.Free(w)
	return err
}

func (c contract) truncated() {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, dt := range weightTypes {
		elems, _ := dt.Block()
		raw := Blocks(dt, 2*elems, rng)
		w, err := c.be.Upload(c.ctx, op.WeightSpec{Name: "w", DType: dt, Rows: 2, Cols: elems, Data: bytes.NewReader(raw[:len(raw)-1])})
		if !fault.Is(err, fault.WeightsTruncated) {
			c.Errorf("%s: uploading from a file one byte short gave %v, want the fault %s", dt, err, fault.WeightsTruncated)
			c.be.Free(w)
		}
	}
}

func (c contract) shape() {
	l := op.NewList("contract")
	l.Add(c.tensor(1, 4), c.tensor(1, 8), nil)
	if _, err := c.be.Compile(c.ctx, l); !fault.Is(err, fault.Shape) {
		c.Errorf("compiling a list with an error gave %v, want the fault %s", err, fault.Shape)
	}
}

// idsOverTheEnd wants an error where the machine can see an id that is no row of the
// table, and the last row where it cannot: nothing else of its memory.
func (c contract) idsOverTheEnd() {
	for _, id := range []uint32{3, 4, 1 << 20, 1 << 31, 0xffffffff} {
		ids, err := c.be.New("ids", op.U32, 1, 2)
		c.ok("new", err)
		c.ok("write", c.be.WriteU32(ids, []uint32{1, id}))
		// Behind the table lies something else of the same buffer.
		table, out := c.tensor(5, 4, count(1, 20)...).Slice(0, 3), c.tensor(2, 4)
		err = c.program(func(l *op.List) { l.Embedding(table, ids, out) }).Run(c.ctx)
		if err == nil {
			c.want(out, 5, 6, 7, 8, 9, 10, 11, 12)
		} else if !fault.Is(err, fault.Shape) || c.be.Info().Backend != "cpu" {
			c.Errorf("id %d of 3 rows gave %v", id, err)
		}
		c.be.Free(ids)
	}
}

func (c contract) cancelled() {
	x := c.tensor(1, 4, count(-4, 4)...) // which the program would change
	other := c.tensor(1, 4, count(9, 4)...)
	p := c.program(func(l *op.List) { l.Activation(x, op.ReLU, x) })
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	for _, copies := range [][]op.Copy{nil, {{Dst: x, Src: other}}} {
		if err := p.Run(ctx, copies...); !fault.Is(err, fault.Aborted) {
			c.Errorf("running %d copies and a list with a cancelled context gave %v, want the fault %s", len(copies), err, fault.Aborted)
		}
		c.want(x, count(-4, 4)...) // nothing was submitted, not even the copy
	}
	c.ok("run", p.Run(c.ctx))
	c.want(x, 0, 0, 0, 0)
}

func (c contract) info() {
	if i := c.be.Info(); i.Backend == "" || i.Plan == "" {
		c.Errorf("backend %q, plan %q: both need a name", i.Backend, i.Plan)
	}
}
