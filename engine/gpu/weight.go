package gpu

import (
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// Weights lie on the GPU in one of these layouts, whatever their format on disk.
//
// Matrices and tables are cut into patches of 4 rows (output columns) × 4 columns (of
// k), because a thread of MatMul makes four neighbouring outputs and reads four k at a
// time. Patch (n4, k4) is the (n4·K4 + k4)-th, K4 = ⌈cols/4⌉; within it k comes
// first and the row second. What pads rows and columns to whole patches is zero.
//
//	f32  64 bytes a patch: F32
//	f16  32 bytes: F16 or BF16, bits unchanged
//	q8   16 bytes, q + 128; scales apart: F32, 4 rows × one group of k in 16 bytes
//	q4   8 bytes, q + 8; scales as q8
//	f8   16 bytes, codes unchanged; scales as q8, but one for all k
//
// Of q8 and q4 a group is 32 or 16 of k. Formats with minima (where quants are not
// negative, and q4 holds q itself) have 16 bytes of minima behind each 16 of scales. All
// represent their blocks exactly: see quant.Planar. Scales are F32 because those of
// small weights are subnormal halves, which unpack2x16float may flush to zero; and
// formats without minima have none stored, which would make Q8_0 a ninth and Q4_0 a
// fifth longer to read.
//
// A matrix whose buffers would be larger than the device binds is cut into shards of
// whole patches of rows.
//
// Vectors are F32 rows padded to op.Align. Convolutions: see lower_conv.go.
type layout uint8

const (
	layoutF32 layout = iota
	layoutF16
	layoutBF16
	layoutQ8
	layoutQ4
	layoutQ8Min
	layoutQ4Min
	layoutQ8Fine // groups of 16
	layoutQ4Fine
	layoutQ4FineMin
	layoutE4M3
	layoutE5M2
)

var layouts = [...]struct {
	lib    string // lib/weight_*.wgsl
	patch  int64  // bytes of 4×4 weights
	scales bool   // a second buffer, of scales and minima
	group  int    // columns that share a scale; 0: all
	minima bool
}{
	layoutF32: {lib: "f32", patch: 64}, layoutF16: {lib: "f16", patch: 32}, layoutBF16: {lib: "f16", patch: 32},
	layoutQ8: {"q8", 16, true, 32, false}, layoutQ8Min: {"q8", 16, true, 32, true}, layoutQ8Fine: {"q8", 16, true, 16, false},
	layoutQ4: {"q4", 8, true, 32, false}, layoutQ4Min: {"q4", 8, true, 32, true},
	layoutQ4Fine: {"q4", 8, true, 16, false}, layoutQ4FineMin: {"q4", 8, true, 16, true},
	layoutE4M3: {lib: "f8", patch: 16, scales: true}, layoutE5M2: {lib: "f8", patch: 16, scales: true},
}

// layoutOf is the layout of a matrix stored as dt.
func layoutOf(dt op.DType) (layout, error) {
	switch dt {
	case op.F32:
		return layoutF32, nil
	case op.F16:
		return layoutF16, nil
	case op.BF16:
		return layoutBF16, nil
	case op.F8_E4M3:
		return layoutE4M3, nil
	case op.F8_E5M2:
		return layoutE5M2, nil
	}
	if p, ok := quant.PlanarOf(dt); ok {
		for i, y := range layouts {
			if y.lib == fmt.Sprintf("q%d", p.Bits) && y.group == p.Group && y.minima == p.Minima {
				return layout(i), nil
			}
		}
	}
	return 0, fault.New(fault.ModelUnsupported, "a matrix of %s, which no layout holds", dt)
}

// scaleBytes is how many bytes of scales and minima four rows have.
func (y layout) scaleBytes(cols int) int64 {
	l := layouts[y]
	n := int64(16)
	if l.group > 0 {
		n *= int64(cols / l.group)
	}
	if l.minima {
		n *= 2
	}
	return n
}

// constants are what lib/weight_*.wgsl wants from the prelude: where the weight is
// bound, and how its scales lie.
func (y layout) constants(c *constants, binding int) {
	c.u32("WEIGHTS", binding)
	c.u32("SCALES", binding+1)
	switch l := layouts[y]; y {
	case layoutF32:
	case layoutF16, layoutBF16:
		c.flag("BFLOAT", y == layoutBF16)
	case layoutE4M3:
		c.u32("MANTISSA", 3)
	case layoutE5M2:
		c.u32("MANTISSA", 2)
	default:
		c.u32("GROUP4", l.group/op.Align)
		c.flag("MINIMA", l.minima)
	}
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
		perFour = max(perFour, y.scaleBytes(cols))
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
			parts = append(parts, partSpec{n4 * y.scaleBytes(spec.Cols)})
		}
	}
	return parts
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
