package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
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
		`"half":{"dtype":"F8_E4M3","shape":[2,4],"data_offsets":[16,24]}}`
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
		"half": {op.UseMatrix, 2, 4, fault.ModelUnsupported, `"half" is stored as F8_E4M3`},
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

// A matrix may be stored as a convolution of one pixel, and nothing else may be.
func TestUploaderTakesConvolutionsOfOnePixel(t *testing.T) {
	header := `{"conv":{"dtype":"F32","shape":[2,4,1,1],"data_offsets":[0,32]},"larger":{"dtype":"F32","shape":[2,1,2,2],"data_offsets":[32,64]}}`
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
		{"larger", op.UseMatrix, `tensor "larger" has the shape [2 1 2 2], the model needs [2 4]`},
		{"conv", op.UseVector, `tensor "conv" has the shape [2 4 1 1], the model needs [2 4]`},
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
