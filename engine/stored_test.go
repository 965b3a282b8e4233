package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// piece is a tensor of a safetensors file.
type piece struct {
	dtype string
	shape []int
	data  []byte
}

func safetensors(t *testing.T, pieces map[string]piece) []byte {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for name, p := range pieces {
		header[name] = map[string]any{"dtype": p.dtype, "shape": p.shape, "data_offsets": []int{len(data), len(data) + len(p.data)}}
		data = append(data, p.data...)
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

func float32s(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// TestUploaderScalesEightBitFloats takes the scales of ComfyUI's fp8 files under both
// names, for matrices and for vectors, and refuses what is no scale.
func TestUploaderScalesEightBitFloats(t *testing.T) {
	codes := []byte{0x38, 0xb8, 0x40, 0x7e} // 1, −1, 2 and 448 in F8_E4M3
	weight := piece{"F8_E4M3", []int{2, 2}, codes}
	one := func(x float32) piece { return piece{"F32", []int{}, float32s(x)} }
	marker := piece{"F8_E4M3", []int{2}, []byte{0, 0}}
	for name, c := range map[string]struct {
		file map[string]piece
		use  op.Use
		want []float32
		code fault.Code
		says string
	}{
		"plain":                    {map[string]piece{"a.weight": weight}, op.UseMatrix, []float32{1, -1, 2, 448}, "", ""},
		"E5M2":                     {map[string]piece{"a.weight": {"F8_E5M2", []int{2, 2}, []byte{0x3c, 0xbc, 0x7b, 1}}}, op.UseMatrix, []float32{1, -1, 57344, 1. / 65536}, "", ""},
		"scale_weight":             {map[string]piece{"a.weight": weight, "a.scale_weight": one(0.5), "scaled_fp8": marker}, op.UseMatrix, []float32{0.5, -0.5, 1, 224}, "", ""},
		"weight_scale":             {map[string]piece{"a.weight": weight, "a.weight_scale": {"F32", []int{1}, float32s(3)}, "a.input_scale": one(7)}, op.UseMatrix, []float32{3, -3, 6, 1344}, "", ""},
		"a vector":                 {map[string]piece{"a.weight": {"F8_E4M3", []int{2, 2}, codes}, "a.scale_weight": one(2)}, op.UseVector, []float32{2, -2, 4, 896}, "", ""},
		"F16 scaled":               {map[string]piece{"a.weight": {"F16", []int{2, 2}, []byte{0, 0x3c, 0, 0xbc, 0, 0x40, 0, 0}}, "a.scale_weight": one(0.1)}, op.UseMatrix, []float32{0.1, -0.1, 0.2, 0}, "", ""},
		"F64":                      {map[string]piece{"a.weight": {"F64", []int{1, 2}, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1)), math.Float64bits(-7))}}, op.UseMatrix, []float32{0.1, -7}, "", ""},
		"some without":             {map[string]piece{"a.weight": weight, "b.scale_weight": one(2), "model.scaled_fp8": marker}, op.UseMatrix, []float32{1, -1, 2, 448}, "", ""},
		"none at all":              {map[string]piece{"a.weight": weight, "model.scaled_fp8": marker}, op.UseMatrix, nil, fault.ScalesMissing, `is marked as scaled by "model.scaled_fp8", but its scales are absent: "a.weight" has neither "a.scale_weight" nor "a.weight_scale" beside it`},
		"many":                     {map[string]piece{"a.weight": weight, "a.scale_weight": {"F32", []int{1, 2}, float32s(1, 2)}}, op.UseMatrix, nil, fault.ModelUnsupported, `"a.scale_weight" has 2 elements, of the shape [1 2]; supported are`},
		"one a row":                {map[string]piece{"a.weight": weight, "a.scale_weight": {"F32", []int{2}, float32s(0.5, 3)}}, op.UseMatrix, []float32{0.5, -0.5, 6, 1344}, "", ""},
		"one a row, a column":      {map[string]piece{"a.weight": weight, "a.weight_scale": {"F32", []int{2, 1}, float32s(0.5, 3)}}, op.UseVector, []float32{0.5, -0.5, 6, 1344}, "", ""},
		"rows alike":               {map[string]piece{"a.weight": weight, "a.weight_scale": {"F32", []int{2}, float32s(3, 3)}}, op.UseMatrix, []float32{3, -3, 6, 1344}, "", ""},
		"a bad row":                {map[string]piece{"a.weight": weight, "a.scale_weight": {"F32", []int{2}, float32s(1, -2)}}, op.UseMatrix, nil, fault.WeightsNotFinite, `the scale "a.scale_weight[1]" is -2`},
		"three for two rows":       {map[string]piece{"a.weight": weight, "a.scale_weight": {"F32", []int{3}, float32s(1, 2, 3)}}, op.UseMatrix, nil, fault.ModelUnsupported, "has 3 elements"},
		"zero":                     {map[string]piece{"a.weight": weight, "a.scale_weight": one(0)}, op.UseMatrix, nil, fault.WeightsNotFinite, `"a.scale_weight" is 0`},
		"not a number":             {map[string]piece{"a.weight": weight, "a.scale_weight": one(float32(math.NaN()))}, op.UseMatrix, nil, fault.WeightsNotFinite, "is NaN"},
		"beyond range":             {map[string]piece{"a.weight": weight, "a.scale_weight": one(1e38)}, op.UseMatrix, nil, fault.WeightsNotFinite, "is 1e+38"},
		"a scale of whole numbers": {map[string]piece{"a.weight": weight, "a.scale_weight": {"I32", []int{1}, []byte{1, 0, 0, 0}}}, op.UseMatrix, nil, fault.ModelUnsupported, `"a.scale_weight" is stored as I32`},
		"NaN":                      {map[string]piece{"a.weight": {"F8_E4M3", []int{2, 2}, []byte{0, 0xff, 0, 0}}}, op.UseMatrix, nil, fault.WeightsNotFinite, "a.weight"},
	} {
		t.Run(name, func(t *testing.T) {
			be := cpu.New(cpu.Options{})
			defer be.Close()
			u, err := engine.NewUploader(context.Background(), be, bytes.NewReader(safetensors(t, c.file)))
			if err != nil {
				t.Fatal(err)
			}
			cols := 2
			rows := 2
			if c.want != nil {
				rows = len(c.want) / cols
			}
			got := u.Get("a.weight", c.use, rows, cols)
			if c.code == "" {
				if u.Err() != nil {
					t.Fatal(u.Err())
				}
				values, err := be.Read(context.Background(), got)
				if err != nil || !slices.Equal(values, c.want) {
					t.Errorf("%v, %v; want %v", values, err, c.want)
				}
				return
			}
			if err := u.Err(); !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want the fault %s with %q", err, c.code, c.says)
			}
		})
	}
}
