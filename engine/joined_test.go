package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// A matrix whose rows lie in two sources, and the middle of a table that does, are
// uploaded as if they lay in one file.
func TestUploaderOfJoinedRows(t *testing.T) {
	numbers := func(from, n int) (raw []byte) {
		for i := range n {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(from+i)))
		}
		return raw
	}
	var joined weights.Joined
	joined.Append(bytes.NewReader(append([]byte("skip"), numbers(0, 20)...)), 4, 80)
	joined.Append(bytes.NewReader(numbers(20, 12)), 0, 48)
	index := &weights.Index{Tensors: []weights.Tensor{{Name: "table", DType: op.F32, Type: "F32", Shape: []int{16, 2}, Bytes: 128}}}
	be := cpu.New(cpu.Options{})
	defer be.Close()
	for _, c := range []struct {
		use  op.Use
		rows int
		want []float32
	}{
		{op.UseVector, 16, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}},
		{op.UseMiddle, 4, []float32{10, 11, 12, 13, 18, 19, 20, 21}},
	} {
		u := engine.NewIndexUploader(context.Background(), be, index, &joined)
		x := u.Get("table", c.use, c.rows, 2)
		if err := u.Err(); err != nil {
			t.Fatal(err)
		}
		got, err := be.Read(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("use %d gives %v, want %v", c.use, got, c.want)
		}
	}
}
