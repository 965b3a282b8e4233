package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// formats opens the file that has a tensor of every format.
func formats(t *testing.T) (*FileSource, *Index) {
	t.Helper()
	src, err := OpenFile("testdata/formats.gguf")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return src, x
}

// TestReadsFormats reads a file that ggml's own package wrote (train/golden_quant.py): a
// tensor of every format, and beside it what that package reads back.
func TestReadsFormats(t *testing.T) {
	src, x := formats(t)
	if a, _ := x.Value("general.architecture"); a != "flux" {
		t.Errorf("the architecture is %v", a)
	}
	read := map[op.DType]bool{}
	for _, ts := range x.Tensors {
		if !strings.HasPrefix(ts.Name, "double_blocks.") {
			continue
		}
		values, ok := x.Lookup("values." + ts.Type)
		if !ok || !slices.Equal(ts.Shape, values.Shape) || ts.DType.String() != ts.Type {
			t.Errorf("%+v, values %+v", ts, values)
			continue
		}
		got, err := ReadFloat32(src, ts)
		want, err2 := ReadFloat32(src, values)
		if err != nil || err2 != nil {
			t.Errorf("%s: %v, %v", ts.Type, err, err2)
			continue
		}
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Errorf("%s: element %d is %g, want %g", ts.Type, i, got[i], want[i])
				break
			}
		}
		read[ts.DType] = true
	}
	for _, dt := range quant.Types() {
		if dt.Quantized() && !read[dt] {
			t.Errorf("the file has no %s", dt)
		}
	}
	for name, want := range map[string]string{
		"final_layer.linear.weight": "F32 [4 10 1 1]", "single_blocks.0.linear2.weight": "BF16 [3 40]", "sigmas": "F64 [5]",
		"position_ids": "I64 [5]", "counts": "I32 [5]",
	} {
		ts, _ := x.Lookup(name)
		if got := fmt.Sprint(ts.Type, " ", ts.Shape); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		if err := ts.Readable(); (err != nil) != (want[0] == 'I') {
			t.Errorf("%s: %v", name, err)
		}
	}
	sigmas, _ := x.Lookup("sigmas")
	if got, err := ReadFloat32(src, sigmas); err != nil || !slices.Equal(got, []float32{0, 0.25, 0.5, 0.75, 1}) {
		t.Errorf("sigmas are %v, %v", got, err)
	}
}

// TestOriginalShapes refuses shapes that cannot have been the tensor's.
func TestOriginalShapes(t *testing.T) {
	for name, c := range map[string]struct {
		dims []int32
		want string
		code fault.Code
	}{
		"same elements":    {[]int32{2, 2, 1, 1}, "[2 2 1 1]", ""},
		"other elements":   {[]int32{2, 3}, "", fault.WeightsFormat},
		"negative":         {[]int32{-2, -2}, "", fault.WeightsFormat},
		"many dimensions":  {[]int32{4, 1, 1, 1, 1, 1, 1, 1, 1}, "", fault.WeightsFormat},
		"more than can be": {[]int32{math.MaxInt32, math.MaxInt32, math.MaxInt32}, "", fault.WeightsLimit},
	} {
		dims := []any{uint32(metaI32), uint64(len(c.dims))}
		for _, d := range c.dims {
			dims = append(dims, d)
		}
		file := gguf(1, 2, 16, pair(originalShape+"a", metaArray, dims...), pair(originalShape+"b", metaArray, dims...), info("a", 0, 0, 4))
		x, err := Survey(bytes.NewReader(file))
		if c.code == "" {
			if err != nil || fmt.Sprint(x.Tensors[0].Shape) != c.want {
				t.Errorf("%s: %v, %v", name, x, err)
			}
		} else if x != nil || !fault.Is(err, c.code) {
			t.Errorf("%s: %v, want the fault %s", name, err, c.code)
		}
	}
}

// TestWiden reads pieces that begin and end anywhere.
func TestWiden(t *testing.T) {
	src, x := formats(t)
	for _, ts := range x.Tensors {
		if ts.Readable() != nil {
			continue
		}
		values, err := ReadFloat32(src, ts)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		for _, v := range values {
			want = binary.LittleEndian.AppendUint32(want, math.Float32bits(0.3*v))
		}
		w := Widen(src, ts, []float32{0.3})
		if w.Size() != int64(len(want)) {
			t.Fatalf("%s: %d bytes, want %d", ts.Name, w.Size(), len(want))
		}
		for _, c := range [][2]int{{0, len(want)}, {1, 2}, {3, 5}, {len(want) / 2, 7}, {len(want) - 9, 9}, {len(want) / 3, len(want) / 2}} {
			got := make([]byte, c[1])
			if n, err := w.ReadAt(got, int64(c[0])); n != c[1] || err != nil || !slices.Equal(got, want[c[0]:c[0]+c[1]]) {
				t.Errorf("%s: %d bytes at %d: %d, %v", ts.Name, c[1], c[0], n, err)
			}
		}
		if n, err := w.ReadAt(make([]byte, 8), int64(len(want)-4)); n != 4 || err == nil {
			t.Errorf("%s: reading over the end gave %d bytes, %v", ts.Name, n, err)
		}
	}
}
