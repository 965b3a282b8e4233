package gpu

import (
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Weights lie on the GPU in one of these layouts, whatever their format on disk.
//
// Matrices are cut into patches of 4 rows (output columns) × 4 columns (of k),
// because a thread of MatMul makes four neighbouring outputs and reads four k at a
// time. Patch (n4, k4) is the (n4·K4 + k4)-th, K4 = ⌈cols/4⌉; within it k comes
// first and the row second. What pads rows and columns to whole patches is zero.
//
//	f32  64 bytes a patch: F32 and BF16 (which f16 could not hold)
//	f16  32 bytes: F16, bits unchanged
//	q8   16 bytes, q + 128; scales apart: F32, 4 rows × one block of 32 k in 16 bytes
//	q4   8 bytes, q + 8; scales as q8
//
// Scales are widened to F32 because those of small weights are subnormal halves,
// which unpack2x16float may flush to zero. A matrix whose buffers would be larger
// than the device binds is cut into shards of whole patches of rows.
//
// Vectors are F32 rows padded to op.Align. Convolutions: see lower_conv.go.
type layout uint8

const (
	layoutF32 layout = iota
	layoutF16
	layoutQ8
	layoutQ4
)

var layouts = [...]struct {
	name   string
	patch  int64 // bytes of 4×4 weights
	scales bool  // a second buffer of scales
}{
	layoutF32: {"f32", 64, false}, layoutF16: {"f16", 32, false},
	layoutQ8: {"q8", 16, true}, layoutQ4: {"q4", 8, true},
}

// layoutOf is the layout of a matrix stored as dt.
func layoutOf(dt op.DType) (layout, error) {
	switch dt {
	case op.F32, op.BF16:
		return layoutF32, nil
	case op.F16:
		return layoutF16, nil
	case op.Q8_0:
		return layoutQ8, nil
	case op.Q4_0:
		return layoutQ4, nil
	}
	return 0, fault.New(fault.ModelUnsupported, "a matrix of %s; F32, F16, BF16, Q8_0 and Q4_0 are supported", dt)
}

// quads is the number of vec4 that hold n elements.
func quads(n int) int { return op.Pad(n) / op.Align }

// shardStep is the unit of shards where they can be that large: whole tiles.
const shardStep = 128

// shardRows is how many rows of a cols-wide matrix fit into one binding, a
// multiple of 4.
func (y layout) shardRows(cols int, c Caps) int {
	perFour := int64(quads(cols)) * layouts[y].patch // bytes of four rows
	if layouts[y].scales {
		perFour = max(perFour, int64(cols/32)*16)
	}
	rows := int(min(c.MaxBinding, c.MaxBuffer)/perFour) * 4
	if rows >= shardStep {
		rows -= rows % shardStep
	}
	return max(rows, 4)
}

// parts is how many buffers a shard has.
func (y layout) parts() int {
	if layouts[y].scales {
		return 2
	}
	return 1
}

// weight is the handle of weights: per shard the elements or quants, then the
// scales where the layout has them.
type weight struct{ parts []*buffer }

func (w *weight) buffers() []*buffer { return w.parts }

// partSpec is one buffer of a weight.
type partSpec struct{ Bytes int64 }

// weightParts tells the buffers of a weight, in the order of Binding.Part.
func weightParts(spec op.WeightSpec, c Caps) []partSpec {
	switch spec.Use {
	case op.UseVector:
		return []partSpec{{16 * int64(spec.Rows) * int64(quads(spec.Cols))}}
	case op.UseConv3x3:
		return []partSpec{{9 * 64 * int64(quads(spec.Cols/9)) * int64(quads(spec.Rows))}}
	}
	y, err := layoutOf(spec.DType)
	if err != nil {
		return nil
	}
	var parts []partSpec
	step := y.shardRows(spec.Cols, c)
	for from := 0; from < spec.Rows; from += step {
		n4 := int64(quads(min(step, spec.Rows-from)))
		parts = append(parts, partSpec{n4 * int64(quads(spec.Cols)) * layouts[y].patch})
		if layouts[y].scales {
			parts = append(parts, partSpec{n4 * int64(spec.Cols/32) * 16})
		}
	}
	return parts
}

// chunkRows is how many rows of a weight to upload at once: at least one patch of
// rows, and whole patches, in at most about limit bytes.
func chunkRows(rowBytes, limit int64) int {
	return int(max(1, limit/rowBytes/4)) * 4
}

// The numbers of layouts and sources in the prelude of repack_float.wgsl.
const (
	repackRows = iota
	repackPatches
	repackConv3x3
)

var floatSources = map[op.DType]int{op.F32: 0, op.F16: 1, op.BF16: 2}

const repackThreads = 64 // in a workgroup

// repack makes the launches that turn rows [rowFrom, rowTo) of a weight file,
// which begin at byte 0 of raw, into their places in the buffers of dst, and that
// add the number of values or scales that are not finite to counter badSlot of
// bad. rowFrom is a multiple of 4, rowTo too or the number of rows. Errors:
// fault.ModelUnsupported for a format that has no layout for its use, fault.Shape
// for sizes that do not fit it.
func repack(spec op.WeightSpec, dst, raw, bad *op.Storage, badSlot, rowFrom, rowTo int, c Caps) ([]Launch, error) {
	if rowFrom%4 != 0 || (rowTo%4 != 0 && rowTo != spec.Rows) || rowFrom < 0 || rowTo <= rowFrom || rowTo > spec.Rows {
		return nil, fault.New(fault.Internal, "%s: rows %d to %d of %d do not make whole patches", spec.Name, rowFrom, rowTo, spec.Rows)
	}
	launch := func(k Kernel, from, to, start, threads, part int) Launch {
		groups := (threads + repackThreads - 1) / repackThreads
		k.Libs = []string{"raw"}
		return Launch{
			Kernel: k,
			Bind:   []Binding{{Storage: raw}, {Storage: bad, Write: true}, {Storage: dst, Part: part, Write: true}},
			Params: []uint32{uint32(from), uint32(to), uint32(rowFrom), uint32(spec.Cols), uint32(start),
				uint32(op.Pad(spec.Rows)), uint32(badSlot), uint32(threads)},
			Groups: [3]int{min(groups, maxGroups), (groups + maxGroups - 1) / maxGroups, 1},
		}
	}
	if spec.Use != op.UseMatrix {
		source, ok := floatSources[spec.DType]
		if !ok {
			return nil, fault.New(fault.ModelUnsupported, "%s is stored as %s; F32, F16 and BF16 are supported for vectors and convolutions", spec.Name, spec.DType)
		}
		to, threads := repackRows, (rowTo-rowFrom)*quads(spec.Cols)
		if spec.Use == op.UseConv3x3 {
			if spec.Cols%9 != 0 {
				return nil, fault.New(fault.Shape, "%s has %d columns, wanted 9 for each input channel", spec.Name, spec.Cols)
			}
			to, threads = repackConv3x3, quads(rowTo-rowFrom)*9*op.Pad(spec.Cols/9)
		}
		return []Launch{launch(repackFloat(source, to), rowFrom, rowTo, 0, threads, 0)}, nil
	}

	y, err := layoutOf(spec.DType)
	if err != nil {
		return nil, err
	}
	if layouts[y].scales && spec.Cols%32 != 0 {
		return nil, fault.New(fault.Shape, "%s has %d columns, %s wants a multiple of 32", spec.Name, spec.Cols, spec.DType)
	}
	var launches []Launch
	for _, s := range y.shards(spec.Cols, rowFrom, rowTo, spec.Rows, c) {
		n4 := quads(s.to - s.from)
		var k Kernel
		var threads int
		switch y {
		case layoutF32:
			k, threads = repackFloat(floatSources[spec.DType], repackPatches), n4*op.Pad(spec.Cols)
		case layoutF16:
			k, threads = Kernel{File: "repack_f16"}, n4*2*quads(spec.Cols)
		case layoutQ8:
			k, threads = repackQuant(8), n4*spec.Cols/32
		case layoutQ4:
			k, threads = repackQuant(4), n4*spec.Cols/32
		}
		l := launch(k, s.from, s.to, s.start, threads, s.part)
		if layouts[y].scales {
			l.Bind = append(l.Bind, Binding{Storage: dst, Part: s.part + 1, Write: true})
		}
		launches = append(launches, l)
	}
	return launches, nil
}

func repackFloat(source, layout int) Kernel {
	return Kernel{File: "repack_float", Prelude: fmt.Sprintf("const SOURCE: u32 = %du;\nconst LAYOUT: u32 = %du;\n", source, layout)}
}

func repackQuant(bits int) Kernel {
	return Kernel{File: "repack_quant", Prelude: fmt.Sprintf("const BITS: u32 = %du;\n", bits)}
}

// shard is the part of a range of rows that lies in one shard of a matrix.
type shard struct {
	from, to int // rows
	start    int // the shard's first row
	last     int // the shard's last row, padding included
	part     int // the shard's first buffer
}

// shards cuts rows [from, to) of a rows × cols matrix at the ends of its shards.
func (y layout) shards(cols, from, to, rows int, c Caps) []shard {
	var out []shard
	step := y.shardRows(cols, c)
	for i := from / step; i*step < to; i++ {
		start := i * step
		out = append(out, shard{
			from: max(from, start), to: min(to, start+step), start: start,
			last: start + op.Pad(min(step, rows-start)) - 1, part: i * y.parts(),
		})
	}
	return out
}

// wordwise reports whether all runs of n bytes of a source, but the last, end with a
// whole word.
func wordwise(src op.Source, off, n int64) bool {
	for to := int64(0); to < n; {
		_, _, have := op.RunAt(src, off+to)
		if have <= 0 {
			return false // the source ends: reading it says so
		}
		to += have
		if to < n && to%4 != 0 {
			return false
		}
	}
	return true
}
