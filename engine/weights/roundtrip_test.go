package weights

import (
	"bytes"
	"encoding/base64"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// sample returns n values as a trained weight has them, with an outlier.
func drawn(seed uint64, n int) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64()) * 0.05
	}
	x[n/2] = 1.25
	return x
}

// decoded is what x becomes when it is stored as dt.
func decoded(dt op.DType, x []float32) []float32 {
	elems, size := dt.Block()
	b, y := make([]byte, len(x)/elems*size), make([]float32, len(x))
	quant.Quantize(dt, b, x)
	quant.Dequantize(dt, y, b)
	return y
}

// values is the metadata as a map.
func values(x *Index) map[string]any {
	m := map[string]any{}
	for _, p := range x.Meta {
		m[p.Key] = p.Value
	}
	return m
}

func equal(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}

func TestGGUFRoundTrip(t *testing.T) {
	meta := map[string]any{
		"general.architecture": "flux", "u8": uint8(200), "i8": int8(-3), "u16": uint16(60000), "i16": int16(-30000),
		"u32": uint32(4e9), "i32": int32(-2e9), "f32": float32(1.5), "yes": true, "no": false, "u64": uint64(1) << 63,
		"i64": int64(math.MinInt64), "f64": math.Pi, "empty": "", "text": "Größe 四",
		"a.u8": []uint8{1, 2}, "a.i8": []int8{-1}, "a.u16": []uint16{1}, "a.i16": []int16{-1}, "a.u32": []uint32{1}, "a.i32": []int32{-1},
		"a.f32": []float32{0.5}, "a.bool": []bool{true, false}, "a.str": []string{"a", "", "c"}, "a.u64": []uint64{1}, "a.i64": []int64{-1},
		"a.f64": []float64{0.25, 0.75}, "a.none": []string{},
	}
	types := []op.DType{op.F32, op.F16, op.BF16, op.Q8_0, op.Q4_0}
	shapes := map[string][]int{"vector": {96}, "matrix": {7, 64}, "kernel": {5, 3, 2, 32}}
	var outputs []Output
	want := map[string][]float32{}
	for _, dt := range types {
		for name, dims := range shapes {
			n, _ := product(name, dims)
			x := drawn(uint64(dt), int(n))
			name = dt.String() + "." + name
			outputs = append(outputs, Float32s(name, dt, dims, x))
			want[name] = decoded(dt, x)
		}
	}
	outputs = append(outputs, Float32s("odd", op.F16, []int{3, 5}, drawn(9, 15)))
	want["odd"] = decoded(op.F16, drawn(9, 15))
	var file bytes.Buffer
	if err := WriteGGUF(&file, meta, outputs...); err != nil {
		t.Fatal(err)
	}
	src := bytes.NewReader(file.Bytes())
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if x.Format != "GGUF 3" || !reflect.DeepEqual(values(x), meta) {
		t.Errorf("%s with metadata %v", x.Format, x.Meta)
	}
	if len(x.Tensors) != len(outputs) {
		t.Fatalf("%d tensors, wrote %d", len(x.Tensors), len(outputs))
	}
	for _, o := range outputs {
		ts, ok := x.Lookup(o.Name)
		if !ok || !reflect.DeepEqual(ts.Shape, o.Shape) || ts.DType != o.DType || ts.Offset%ggufAlign != 0 {
			t.Fatalf("%s came back as %+v", o.Name, ts)
		}
		got, err := ReadFloat32(src, ts)
		if err != nil || !equal(got, want[o.Name]) {
			t.Errorf("%s: other values came back (%v)", o.Name, err)
		}
		if err := CheckFinite(src, ts); err != nil {
			t.Error(err)
		}
	}
	if _, ok := x.Lookup("absent"); ok {
		t.Error("an absent tensor was found")
	}
	// Version 2 has the same layout, and a file may lack the padding at its end.
	v2 := append([]byte(nil), file.Bytes()...)
	v2[4] = 2
	last := x.Tensors[len(x.Tensors)-1]
	v2 = v2[:last.Offset+last.Bytes]
	if y, err := Parse(bytes.NewReader(v2)); err != nil || y.Format != "GGUF 2" {
		t.Errorf("version 2: %v", err)
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	outputs := []Output{
		Float32s("b", op.BF16, []int{3, 5}, drawn(1, 15)), Float32s("a", op.F32, []int{4}, drawn(2, 4)),
		Float32s("c", op.F16, []int{2, 1, 3, 3}, drawn(3, 18)), Float32s("scalar", op.F32, nil, []float32{0.5}),
		Float32s("näme \"quoted\"\n", op.F32, []int{1}, []float32{0}),
	}
	var file bytes.Buffer
	if err := WriteSafetensors(&file, map[string]string{"format": "pt", "a": "ü"}, outputs...); err != nil {
		t.Fatal(err)
	}
	src := bytes.NewReader(file.Bytes())
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if x.Format != "safetensors" || !reflect.DeepEqual(values(x), map[string]any{"format": "pt", "a": "ü"}) || len(x.Tensors) != len(outputs) {
		t.Errorf("%+v", x)
	}
	for _, o := range outputs {
		ts, ok := x.Lookup(o.Name)
		if !ok || len(ts.Shape) != len(o.Shape) || ts.DType != o.DType {
			t.Fatalf("%s came back as %+v", o.Name, ts)
		}
		var b bytes.Buffer
		if err := o.Write(&b); err != nil {
			t.Fatal(err)
		}
		stored := make([]byte, ts.Bytes)
		if _, err := src.ReadAt(stored, ts.Offset); err != nil && err != io.EOF || !bytes.Equal(stored, b.Bytes()) {
			t.Errorf("%s: other bytes came back (%v)", o.Name, err)
		}
	}
}

// The file was written by train/undertone/export.py (Python, torch): two
// tensors, "a.weight" bf16 [2, 3] = 1, −2.5, 0, 3.140625, 1e−3, −65536 and "b"
// f32 [2] = 0.1, −0.
func TestPythonGolden(t *testing.T) {
	file, err := base64.StdEncoding.DecodeString("eAAAAAAAAAB7ImEud2VpZ2h0Ijp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMiwzXSwiZGF0YV9vZmZzZXRzIjpbMCwxMl19LCJiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMTIsMjBdfX2APyDAAABJQIM6gMfNzMw9AAAAgA==")
	if err != nil {
		t.Fatal(err)
	}
	src := bytes.NewReader(file)
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]float32{
		"a.weight": {1, -2.5, 0, 3.140625, 0.00099945068359375, -65536},
		"b":        {0.1, float32(math.Copysign(0, -1))},
	} {
		ts, ok := x.Lookup(name)
		if !ok {
			t.Fatalf("%s is missing", name)
		}
		if got, err := ReadFloat32(src, ts); err != nil || !equal(got, want) {
			t.Errorf("%s is %v, wanted %v (%v)", name, got, want, err)
		}
	}
	// Our own writer gives the same bytes.
	var again bytes.Buffer
	err = WriteSafetensors(&again, nil, Float32s("b", op.F32, []int{2}, []float32{0.1, float32(math.Copysign(0, -1))}),
		Float32s("a.weight", op.BF16, []int{2, 3}, []float32{1, -2.5, 0, 3.140625, 1e-3, -65536}))
	if err != nil || !bytes.Equal(again.Bytes(), file) {
		t.Errorf("written anew: %q (%v)", again.Bytes(), err)
	}
}

// A tensor longer than one run of Each comes back in order.
func TestEachCoversEverything(t *testing.T) {
	for _, dt := range []op.DType{op.F32, op.Q8_0} {
		const n = 3*16384 + 96
		x := drawn(5, n)
		var file bytes.Buffer
		if err := WriteGGUF(&file, nil, Float32s("x", dt, []int{n / 96, 96}, x)); err != nil {
			t.Fatal(err)
		}
		src := bytes.NewReader(file.Bytes())
		index, err := Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFloat32(src, index.Tensors[0]); err != nil || !equal(got, decoded(dt, x)) {
			t.Errorf("%s: other values came back (%v)", dt, err)
		}
	}
}

func TestWritersRefuse(t *testing.T) {
	ok := Float32s("a", op.F32, []int{2}, []float32{1, 2})
	for name, c := range map[string]struct {
		reason  Reason
		outputs []Output
	}{
		"two of a name":    {Duplicate, []Output{ok, ok}},
		"zero dimension":   {ZeroDim, []Output{Float32s("a", op.F32, []int{0}, nil)}},
		"part of a block":  {BadBlock, []Output{Float32s("a", op.Q8_0, []int{2, 16}, drawn(1, 32))}},
		"type not written": {BadType, []Output{{Name: "a", DType: op.U32, Shape: []int{1}}}},
	} {
		if err := WriteGGUF(io.Discard, nil, c.outputs...); !reasonIs(err, c.reason) {
			t.Errorf("GGUF, %s: %v", name, err)
		}
	}
	if err := WriteGGUF(io.Discard, nil, Float32s("a", op.F32, nil, []float32{1})); !reasonIs(err, BadDims) {
		t.Errorf("GGUF, no dimension: %v", err)
	}
	if err := WriteGGUF(io.Discard, map[string]any{"k": 1}); !reasonIs(err, BadValue) {
		t.Errorf("GGUF, a value of type int: %v", err)
	}
	if err := WriteSafetensors(io.Discard, nil, Float32s("a", op.Q8_0, []int{32}, drawn(1, 32))); !reasonIs(err, BadType) {
		t.Errorf("safetensors, blocks: %v", err)
	}
	if err := WriteGGUF(io.Discard, nil, Float32s("a", op.F32, []int{3}, []float32{1, 2})); err == nil {
		t.Error("GGUF, too little data was accepted")
	}
}

func reasonIs(err error, want Reason) bool {
	r, ok := err.(interface{ Unwrap() error })
	return ok && r.Unwrap() == want
}

func TestDirStaysInside(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "in"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := Dir(folder)
	src, err := d.Open(t.Context(), "in")
	if err != nil || src.Size() != 1 {
		t.Fatal(err)
	}
	Close(src)
	for _, p := range []string{"../in", "/etc/passwd", "", ".", "absent", "in/x"} {
		if _, err := d.Open(t.Context(), p); err == nil {
			t.Errorf("%q was opened", p)
		}
	}
}
