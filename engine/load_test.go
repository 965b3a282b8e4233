package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// A weight file may hold tensors of any type; a network is told which of those that
// it asks for cannot be read.
func TestUploaderAsksOnlyForWhatIsUsed(t *testing.T) {
	header := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"ids":{"dtype":"I32","shape":[2],"data_offsets":[8,16]},` +
		`"half":{"dtype":"F8_E8M0","shape":[2,4],"data_offsets":[16,24]}}`
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	file = append(file, make([]byte, 24)...)
	be := cpu.New(cpu.Options{})
	defer be.Close()
	for name, c := range map[string]struct {
		use        op.Use
		rows, cols int
		code       fault.Code
		says       string
	}{
		"a":    {op.UseVector, 1, 2, "", ""},
		"ids":  {op.UseVector, 1, 2, fault.ModelUnsupported, `"ids" is stored as I32; the engine computes with F32, F16`},
		"half": {op.UseMatrix, 2, 4, fault.ModelUnsupported, `"half" is stored as F8_E8M0`},
		"none": {op.UseVector, 1, 2, fault.WeightsMissing, `no tensor "none"`},
	} {
		u, err := engine.NewUploader(context.Background(), be, bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		got := u.Get(name, c.use, c.rows, c.cols)
		if err := u.Err(); (got != nil) != (c.code == "") || err != nil && (!fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A matrix may be stored as a convolution of one pixel; the file tells what it has.
func TestUploaderTakesConvolutionsOfOnePixel(t *testing.T) {
	header := `{"conv":{"dtype":"F32","shape":[2,4,1,1],"data_offsets":[0,32]},"larger":{"dtype":"F32","shape":[4,1,1,2],"data_offsets":[32,64]}}`
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	file = append(file, make([]byte, 64)...)
	be := cpu.New(cpu.Options{})
	defer be.Close()
	for _, c := range []struct {
		name string
		use  op.Use
		says string
	}{
		{"conv", op.UseMatrix, ""},
		{"larger", op.UseMatrix, `tensor "larger" has the shape [4 1 1 2], the model needs [2 4]`},
	} {
		u, err := engine.NewUploader(context.Background(), be, bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if !u.Has(c.name) || u.Has("absent") {
			t.Error("Has does not tell what the file has")
		}
		got := u.Get(c.name, c.use, 2, 4)
		if err := u.Err(); (got != nil) != (c.says == "") || err != nil && (!fault.Is(err, fault.WeightsMissing) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s for use %d: %v", c.name, c.use, err)
		}
	}
}

// A matrix may stand in a file with batch dimensions of 1 before it and with columns
// of several dimensions; its rows are the first dimension, and vectors are vectors.
func TestUploaderSeesMatrices(t *testing.T) {
	be := cpu.New(cpu.Options{})
	defer be.Close()
	for _, c := range []struct {
		shape      string
		use        op.Use
		rows, cols int
		fits       bool
	}{
		{"[2,12]", op.UseMatrix, 2, 12, true}, {"[1,2,12]", op.UseVector, 2, 12, true}, {"[2,3,2,2]", op.UseMatrix, 2, 12, true},
		{"[1,24]", op.UseMatrix, 1, 24, true}, {"[24]", op.UseVector, 1, 24, true},
		{"[12,2]", op.UseMatrix, 2, 12, false}, {"[1,12,2]", op.UseVector, 2, 12, false}, {"[3,2,2,2]", op.UseMatrix, 2, 12, false},
		{"[24]", op.UseMatrix, 1, 24, false}, {"[24]", op.UseMatrix, 24, 1, false}, {"[1,24]", op.UseVector, 1, 24, false}, {"[2,12]", op.UseMatrix, 1, 24, false},
	} {
		header := `{"a":{"dtype":"F32","shape":` + c.shape + `,"data_offsets":[0,96]}}`
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		u, err := engine.NewUploader(context.Background(), be, bytes.NewReader(append(file, make([]byte, 96)...)))
		if err != nil {
			t.Fatal(err)
		}
		got := u.Get("a", c.use, c.rows, c.cols)
		if (got != nil) != c.fits || !c.fits && !fault.Is(u.Err(), fault.WeightsMissing) {
			t.Errorf("%s as %d×%d: %v, %v", c.shape, c.rows, c.cols, got, u.Err())
		}
	}
}

// The middle of a square table is cut out of the file.
func TestUploaderCutsTheMiddle(t *testing.T) {
	be := cpu.New(cpu.Options{})
	defer be.Close()
	get := func(shape string, n, rows, cols int) ([]float32, error) {
		header := `{"before":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":` + shape + fmt.Sprintf(`,"data_offsets":[4,%d]}}`, 4+4*n)
		file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
		for i := range n + 1 {
			file = binary.LittleEndian.AppendUint32(file, math.Float32bits(float32(i-1)))
		}
		u, err := engine.NewUploader(context.Background(), be, bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		x := u.Get("a", op.UseMiddle, rows, cols)
		if x == nil {
			return nil, u.Err()
		}
		got, err := be.Read(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		return got, nil
	}
	for _, size := range [][3]int{{6, 2, 3}, {6, 4, 5}, {6, 6, 1}, {5, 1, 4}, {5, 3, 2}, {1, 1, 1}, {200, 180, 12}} {
		n, k, cols := size[0], size[1], size[2]
		got, err := get(fmt.Sprintf("[1,%d,%d]", n*n, cols), n*n*cols, k*k, cols)
		var want []float32
		for r := range k {
			for c := range k * cols {
				want = append(want, float32(((n-k)/2+r)*n*cols+(n-k)/2*cols+c))
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%d of %d: %.60v, %v", k, n, got, err)
		}
	}
	for name, c := range map[string]struct {
		shape         string
		n, rows, cols int
	}{
		"odd in even":   {"[36,2]", 72, 9, 2},
		"larger":        {"[36,2]", 72, 64, 2},
		"no square":     {"[36,2]", 72, 8, 2},
		"of no square":  {"[35,2]", 70, 16, 2},
		"another width": {"[36,2]", 72, 16, 1},
		"a vector":      {"[36]", 36, 16, 1},
	} {
		if _, err := get(c.shape, c.n, c.rows, c.cols); !fault.Is(err, fault.WeightsMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
