package gpu

import (
	"fmt"
	"math"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

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
	scale := spec.Scale
	if scale == 0 {
		scale = 1
	}
	launch := func(k Kernel, from, to, start, threads, part int) Launch {
		groups := op.CeilDiv(threads, repackThreads)
		k.Libs = append([]string{"raw"}, k.Libs...)
		return Launch{
			Kernel: k,
			Bind:   []Binding{{Storage: raw}, {Storage: bad, Write: true}, {Storage: dst, Part: part, Write: true}},
			Params: []uint32{uint32(from), uint32(to), uint32(rowFrom), uint32(spec.Cols), uint32(start),
				uint32(op.Pad(spec.Rows)), uint32(badSlot), uint32(threads), math.Float32bits(scale)},
			Groups: [3]int{min(groups, maxGroups), op.CeilDiv(groups, maxGroups), 1},
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
	if elems, _ := spec.DType.Block(); spec.Cols%elems != 0 {
		return nil, fault.New(fault.Shape, "%s has %d columns, %s wants a multiple of %d", spec.Name, spec.Cols, spec.DType, elems)
	}
	var launches []Launch
	for _, s := range y.shards(spec.Cols, rowFrom, rowTo, spec.Rows, c) {
		n4 := quads(s.to - s.from)
		k, threads := repackMatrix(spec.DType, y, n4, spec.Cols)
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

// repackMatrix is the kernel that lays 4·n4 rows out, and how many threads it takes.
func repackMatrix(dt op.DType, y layout, n4, cols int) (Kernel, int) {
	patches := n4 * quads(cols)
	var c constants
	switch y {
	case layoutF32:
		return repackFloat(floatSources[dt], repackPatches), 4 * patches
	case layoutF16, layoutBF16:
		c.flag("BFLOAT", y == layoutBF16)
		return Kernel{File: "repack_f16", Prelude: string(c)}, 2 * patches
	case layoutE4M3, layoutE5M2:
		c.flag("E5M2", y == layoutE5M2)
		return Kernel{File: "repack_f8", Prelude: string(c)}, patches
	}
	// The most common formats have a kernel that takes four quants at a time.
	if dt == op.Q8_0 || dt == op.Q4_0 {
		c.u32("BITS", int(2*layouts[y].patch)/4)
		return Kernel{File: "repack_quant", Prelude: string(c)}, n4 * cols / 32
	}
	elems, bytes := dt.Block()
	c.u32("ELEMS", elems)
	c.u32("BYTES", bytes)
	c.u32("BITS", int(2*layouts[y].patch)/4)
	c.u32("GROUP", layouts[y].group)
	c.flag("MINIMA", layouts[y].minima)
	halves := quant.Halves(dt)
	c.u32("HALF", halves[0])
	c.u32("OTHER_HALF", halves[len(halves)-1])
	return Kernel{File: "repack_blocks", Libs: []string{"block", "block_" + strings.ToLower(dt.String())}, Prelude: string(c)}, patches
}
