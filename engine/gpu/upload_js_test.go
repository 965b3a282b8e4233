package gpu

import (
	"bytes"
	"fmt"
	"slices"
	"syscall/js"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// pieces is a source that hands out views of a JavaScript array.
type pieces struct {
	*bytes.Reader
	array js.Value
	asked int
}

func newPieces(data []byte) *pieces {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return &pieces{Reader: bytes.NewReader(data), array: array}
}

func (p *pieces) Piece(off, n int64) (any, error) {
	p.asked++
	return p.array.Call("subarray", off, off+n), nil
}

// rowsOf reads rows of an uploaded table back through an embedding.
func rowsOf(t *testing.T, d *Device, table *op.Tensor, ids ...uint32) []float32 {
	t.Helper()
	at, err := d.New("ids", op.U32, 1, len(ids))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteU32(at, ids); err != nil {
		t.Fatal(err)
	}
	out, err := d.New("rows", op.F32, len(ids), table.Cols)
	if err != nil {
		t.Fatal(err)
	}
	l := op.NewList("rows")
	l.Embedding(table, at, out)
	p, err := d.Compile(soon(t), l)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	defer d.Free(at, out)
	if err := p.Run(soon(t)); err != nil {
		t.Fatal(err)
	}
	got, err := d.Read(soon(t), out)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// counting is rows × cols F32 values 0, 1, 2 … behind skip other bytes.
func counting(skip, rows, cols int) []byte {
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = float32(i)
	}
	return append(bytes.Repeat([]byte{0xff}, skip), bytesOf(values)...)
}

func table(name string, src op.Source, skip, rows, cols int) op.WeightSpec {
	return op.WeightSpec{Name: name, Use: op.UseMatrix, DType: op.F32, Rows: rows, Cols: cols, Data: src, Offset: int64(skip)}
}

// TestUploadPieces uploads without passing through Go's memory, from an odd
// offset, in one chunk and in several.
func TestUploadPieces(t *testing.T) {
	d := open(t, Options{})
	src := newPieces(counting(3, 5, 7))
	w, err := d.Upload(soon(t), table("small", src, 3, 5, 7))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rowsOf(t, d, w, 4, 0), []float32{28, 29, 30, 31, 32, 33, 34, 0, 1, 2, 3, 4, 5, 6}; !slices.Equal(got, want) || src.asked != 1 {
		t.Errorf("rows 4 and 0 are %v after asking %d times, want %v", got, src.asked, want)
	}
	const rows, cols = 4099, 1031 // 16.1 MiB
	src = newPieces(counting(1, rows, cols))
	if w, err = d.Upload(soon(t), table("large", src, 1, rows, cols)); err != nil {
		t.Fatal(err)
	}
	got := rowsOf(t, d, w, 0, 4065, 4066, 4098)
	for i, row := range []int{0, 4065, 4066, 4098} {
		if got[i*cols] != float32(row*cols) || got[i*cols+cols-1] != float32(row*cols+cols-1) {
			t.Errorf("row %d begins with %g and ends with %g", row, got[i*cols], got[i*cols+cols-1])
		}
	}
	if src.asked != 2 {
		t.Errorf("asked for %d pieces, want 2", src.asked)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Error(err)
	}
}

// A joined source is sent as its parts have it: in pieces where they can, and through
// Go's memory where they cannot or where they meet within a word.
func TestUploadJoined(t *testing.T) {
	d := open(t, Options{})
	const rows, cols = 6, 5
	for _, c := range []struct {
		cuts  []int64 // of the bytes behind the first one
		asked int     // pieces, of each second part
	}{{[]int64{40}, 1}, {[]int64{20, 60, 100}, 2}, {[]int64{18, 60}, 0}, {[]int64{20, 63}, 0}} {
		data := counting(1, rows, cols)
		var joined weights.Joined
		joined.Append(bytes.NewReader(data), 0, 1)
		src, at := newPieces(data), int64(1)
		for i, cut := range append(c.cuts, rows*cols*4) {
			part := op.Source(bytes.NewReader(data))
			if i%2 == 1 {
				part = src
			}
			joined.Append(part, at, cut+1-at)
			at = cut + 1
		}
		w, err := d.Upload(soon(t), table("joined", &joined, 1, rows, cols))
		if err != nil {
			t.Fatal(err)
		}
		got := rowsOf(t, d, w, 0, 1, 2, 3, 4, 5)
		for i, v := range got {
			if v != float32(i) {
				t.Errorf("cut at %v: element %d is %g", c.cuts, i, v)
				break
			}
		}
		if src.asked != c.asked {
			t.Errorf("cut at %v: asked for %d pieces, want %d", c.cuts, src.asked, c.asked)
		}
	}
}

// TestUploadMany uploads a model's worth of small tensors in few submits, and
// still tells which of them is broken.
func TestUploadMany(t *testing.T) {
	d := open(t, Options{})
	submits := 0
	onSubmit(t, d, func() { submits++ })
	const n = 300
	var ws []*op.Tensor
	for i := range n {
		data := counting(0, 1, 40+i)
		if i == 217 {
			copy(data[4*77:], []byte{0, 0, 0x80, 0x7f})
		}
		w, err := d.Upload(soon(t), table(fmt.Sprintf("tensor.%d", i), bytes.NewReader(data), 0, 1, 40+i))
		if err != nil {
			t.Fatal(err)
		}
		ws = append(ws, w)
	}
	err := d.Sync(soon(t))
	if want := "tensor.217 holds 1 values or scales that are not finite"; !fault.Is(err, fault.WeightsNotFinite) || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Errorf("told twice: %v", err)
	}
	if submits > n/smallSlots+3 {
		t.Errorf("%d tensors took %d submits", n, submits)
	}
	for _, i := range []int{0, 31, 32, 33, 299} {
		if got := rowsOf(t, d, ws[i], 0); got[39+i] != float32(39+i) {
			t.Errorf("tensor %d ends with %g, want %d", i, got[39+i], 39+i)
		}
	}
}
