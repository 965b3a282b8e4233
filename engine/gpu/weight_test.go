package gpu

import (
	"reflect"
	"testing"

	"undertone/engine/op"
)

func TestWeightParts(t *testing.T) {
	small := PortableFloor
	small.MaxBinding = 64 << 10
	for _, c := range []struct {
		use        op.Use
		dt         op.DType
		rows, cols int
		caps       Caps
		want       []int64
	}{
		{op.UseVector, op.F16, 3, 5, PortableFloor, []int64{3 * 8 * 4}},
		{op.UseVector, op.BF16, 1, 256, PortableFloor, []int64{1024}},
		{op.UseConv3x3, op.F32, 5, 9 * 3, PortableFloor, []int64{9 * 4 * 8 * 4}},
		{op.UseMatrix, op.F32, 5, 7, PortableFloor, []int64{8 * 8 * 4}},
		{op.UseMatrix, op.BF16, 5, 7, PortableFloor, []int64{8 * 8 * 2}},
		{op.UseMatrix, op.F16, 5, 7, PortableFloor, []int64{8 * 8 * 2}},
		{op.UseMatrix, op.Q8_0, 5, 64, PortableFloor, []int64{8 * 64, 8 * 2 * 4}},
		{op.UseMatrix, op.Q4_0, 5, 64, PortableFloor, []int64{8 * 32, 8 * 2 * 4}},
		// Minima lie beside scales; groups of 16 have twice as many; 8-bit floats one for a row.
		{op.UseMatrix, op.Q4_K, 5, 256, PortableFloor, []int64{8 * 128, 8 * 8 * 8}},
		{op.UseMatrix, op.Q5_1, 5, 64, PortableFloor, []int64{8 * 64, 8 * 2 * 8}},
		{op.UseMatrix, op.Q6_K, 5, 256, PortableFloor, []int64{8 * 256, 8 * 16 * 4}},
		{op.UseMatrix, op.Q3_K, 5, 256, PortableFloor, []int64{8 * 128, 8 * 16 * 4}},
		{op.UseMatrix, op.Q2_K, 5, 256, PortableFloor, []int64{8 * 128, 8 * 16 * 8}},
		{op.UseMatrix, op.F8_E4M3, 5, 7, PortableFloor, []int64{8 * 8, 8 * 4}},
		// Tables of published text encoders: CLIP-L's in F32 does not fit one binding.
		{op.UseMatrix, op.F32, 49408, 768, PortableFloor, []int64{43648 * 768 * 4, 5760 * 768 * 4}},
		// 64 KiB hold 256 rows of 64 F32, 1,024 of Q8_0.
		{op.UseMatrix, op.F32, 600, 64, small, []int64{65536, 65536, 88 * 256}},
		{op.UseMatrix, op.Q8_0, 1025, 64, small, []int64{65536, 8192, 256, 32}},
		// Rows so long that a shard is a few of them.
		{op.UseMatrix, op.F32, 7, 4000, small, []int64{4 * 16000, 4 * 16000}},
	} {
		spec := op.WeightSpec{Use: c.use, DType: c.dt, Rows: c.rows, Cols: c.cols}
		var got []int64
		for _, p := range weightParts(spec, c.caps) {
			got = append(got, p.Bytes)
			if p.Bytes > c.caps.MaxBinding {
				t.Errorf("%d×%d %s: a buffer of %d bytes, the limit is %d", c.rows, c.cols, c.dt, p.Bytes, c.caps.MaxBinding)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("use %d, %d×%d %s: buffers of %v bytes, want %v", c.use, c.rows, c.cols, c.dt, got, c.want)
		}
	}
}

// TestRepackCovers uploads a sharded matrix in chunks that end where no shard does
// and checks that the launches write each shard from end to end, once.
func TestRepackCovers(t *testing.T) {
	small := PortableFloor
	small.MaxBinding = 64 << 10
	raw, bad := op.NewStorage("raw", op.Fixed, op.U32, 1, 4).Storage, op.NewStorage("bad", op.Fixed, op.U32, 1, 4).Storage
	for _, dt := range []op.DType{op.F32, op.F16, op.BF16, op.Q8_0, op.Q4_0, op.Q4_1, op.Q5_1, op.IQ4_NL, op.F8_E4M3} {
		spec := op.WeightSpec{Name: "w", DType: dt, Rows: 5003, Cols: 64}
		parts := weightParts(spec, small)
		dst := matrix(dt, spec.Rows, spec.Cols).Storage
		written := make([]int64, len(parts))
		y, _ := layoutOf(dt)
		for from := 0; from < spec.Rows; from += 300 {
			to := min(from+300, spec.Rows)
			launches, err := repack(spec, dst, raw, bad, 3, from, to, small)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range launches {
				if err := check(l, small); err != nil {
					t.Error(err)
				}
				first, end, at, start := l.Params[0], l.Params[1], l.Params[2], l.Params[4]
				if int(at) != from || end <= first || l.Params[6] != 3 {
					t.Errorf("%s, rows %d to %d: parameters %v", dt, from, to, l.Params)
				}
				part := l.Bind[2].Part
				perRow := int64(spec.Cols) / 16 * layouts[y].patch
				if at := int64(first-start) * perRow; at != written[part] {
					t.Errorf("%s: rows %d to %d go to byte %d of buffer %d, written so far: %d", dt, first, end, at, part, written[part])
				}
				written[part] += int64(op.Pad(int(end-first))) * perRow
			}
		}
		for i := 0; i < len(parts); i += y.parts() {
			if written[i] != parts[i].Bytes {
				t.Errorf("%s: %d of %d bytes of buffer %d are written", dt, written[i], parts[i].Bytes, i)
			}
		}
	}
}

func TestRepackRefuses(t *testing.T) {
	raw := op.NewStorage("raw", op.Fixed, op.U32, 1, 4).Storage
	for _, c := range []struct {
		what     string
		spec     op.WeightSpec
		from, to int
	}{
		{"part of a patch", op.WeightSpec{DType: op.F32, Rows: 9, Cols: 4}, 0, 6},
		{"a start inside a patch", op.WeightSpec{DType: op.F32, Rows: 9, Cols: 4}, 2, 9},
		{"a quantized vector", op.WeightSpec{Use: op.UseVector, DType: op.Q8_0, Rows: 4, Cols: 32}, 0, 4},
		{"part of a large block", op.WeightSpec{DType: op.Q4_K, Rows: 4, Cols: 128}, 0, 4},
		{"a matrix of doubles", op.WeightSpec{DType: op.F64, Rows: 4, Cols: 32}, 0, 4},
		{"a matrix of whole numbers", op.WeightSpec{DType: op.U32, Rows: 4, Cols: 32}, 0, 4},
		{"part of a block", op.WeightSpec{DType: op.Q4_0, Rows: 4, Cols: 48}, 0, 4},
		{"a kernel of eight taps", op.WeightSpec{Use: op.UseConv3x3, DType: op.F32, Rows: 4, Cols: 16}, 0, 4},
	} {
		dst := matrix(c.spec.DType, c.spec.Rows, c.spec.Cols).Storage
		if _, err := repack(c.spec, dst, raw, raw, 0, c.from, c.to, PortableFloor); err == nil {
			t.Errorf("%s gave no error", c.what)
		}
	}
}
