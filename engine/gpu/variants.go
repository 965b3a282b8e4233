package gpu

import (
	"undertone/engine/fault"
	"undertone/engine/op"
)

// variant is one way to run an operation, or a part of one: P is what it is chosen
// by, R what it makes.
type variant[P, R any] struct {
	name   string
	needs  func(Caps) bool // of the device; nil: every device, the portable floor included
	fits   func(P) bool    // of the operation; nil: every shape
	launch func(P, Caps) R
}

// The variants of each operation in the order of preference: the first that the
// device can run and that fits is the usual one, which is taken unless a measurement
// found another faster (see Caps.Choices). The last of each runs on the portable
// floor and takes every shape. A search may take every variant whose needs and fits
// allow it: one that is less exact than f32 has to need that this was asked for (see
// Device.Round), and is never the usual one.
var (
	matMulVariants = []variant[product, tiled]{
		{"cpu", onCPU, nil, matMulCPU},
		{"gemv", nil, product.short, matMulGEMV},
		{"split", nil, product.deep, matMulSplit},
		{"tile", nil, nil, matMulTile},
		// Each tile by its own name, here and below, for those who prefer it (see Device.Prefer).
		{"tile 128×128", nil, nil, matMulTileOf(0)},
		{"tile 64×64", nil, nil, matMulTileOf(1)},
		{"tile 32×64", nil, nil, matMulTileOf(2)},
		{"tile 32×32", nil, nil, matMulTileOf(3)},
		{"split 64×64", nil, splits(1), matMulSplitOf(1)},
		{"split 32×32", nil, splits(3), matMulSplitOf(3)},
		{"f16", halves, product.long, matMulHalf},
		{"f16 128×128", halves, nil, matMulHalfOf(0)},
		{"f16 64×64", halves, nil, matMulHalfOf(1)},
		{"f16 32×64", halves, nil, matMulHalfOf(2)},
		{"f16 32×32", halves, nil, matMulHalfOf(3)},
		{"int8", byBytes, product.blocks, matMulBytes},
		{"int8 64×64", byBytes, product.blocks, matMulBytesOf(64, 64)},
		{"int8 32×64", byBytes, product.blocks, matMulBytesOf(32, 64)},
		{"int8 32×32", byBytes, product.blocks, matMulBytesOf(32, 32)},
	}
	attentionVariants = []variant[*op.AttentionOp, []Launch]{
		{"cpu", onCPU, packedOrApart, attentionCPU},
		{"tile", nil, packedSmall, attentionTile},
		{"tile 16 queries", nil, packedSmall, attentionTileOf(4)},
		{"tile 32 queries", nil, packedSmall, attentionTileOf(8)},
		{"tile 64 queries", func(c Caps) bool { return c.SharedBytes >= wideShared }, packedSmall, attentionTileOf(16)},
		{"views", nil, apart, attentionViews},
		{"block 64×64", nil, packedOrApart, attentionBlock(blockWide, 16<<10, false)},
		{"block 64×64 in 32 KiB", roomy, packedOrApart, attentionBlock(blockWide, 32<<10, false)},
		{"block 64×64 of 64 threads", nil, packedOrApart, attentionBlock(blockSquare, 16<<10, false)},
		{"block 32×64", nil, packedOrApart, attentionBlock(blockLow, 16<<10, false)},
		{"f16", halves, packedOrApart, attentionBlock(blockWide, 16<<10, true)},
		{"f16 32×64", halves, packedOrApart, attentionBlock(blockLow, 16<<10, true)},
	}
	layerNormVariants = []variant[*op.LayerNormOp, []Launch]{
		{"row per thread", onCPU, nil, layerNormAlone},
		{"row per lanes", nil, nil, layerNormLanes},
	}
	qkNormRoPEVariants = []variant[*op.QKNormRoPEOp, []Launch]{
		{"head per thread", onCPU, nil, qkNormRoPEAlone},
		{"head per lanes", nil, nil, qkNormRoPELanes},
	}
	rmsNormVariants = []variant[*op.RMSNormOp, []Launch]{
		{"row per thread", onCPU, nil, rmsNormAlone},
		{"row per lanes", nil, nil, rmsNormLanes},
	}
	conv3x3Variants = []variant[*op.Conv3x3Op, []Launch]{
		{"cpu", onCPU, nil, conv3x3CPU},
		{"tile", nil, nil, conv3x3Tile},
		{"tile 8×2", nil, nil, conv3x3TileOf(0)},
		{"tile 8×1", nil, nil, conv3x3TileOf(1)},
		{"tile 4×1", nil, nil, conv3x3TileOf(2)},
		{"f16", halves, nil, conv3x3Half},
	}
)

// operations says how each operation is lowered.
var operations = map[op.Kind]operation{
	op.MatMul:       products(),
	op.Attention:    among(attentionVariants, attentionShape),
	op.LayerNorm:    among(layerNormVariants, nil),
	op.QKNormRoPE:   among(qkNormRoPEVariants, nil),
	op.Activation:   only(lowerActivation),
	op.Add:          only(lowerAdd),
	op.CFG:          only(lowerCFG),
	op.Euler:        only(lowerEuler),
	op.Embedding:    {func(Caps) []string { return []string{"plain"} }, lowers(lowerEmbedding), unmeasured},
	op.Conv3x3:      among(conv3x3Variants, conv3x3Shape),
	op.Upsample:     only(lowerUpsample),
	op.Patchify:     only(lowerPatchify),
	op.Unpatchify:   only(lowerUnpatchify),
	op.ToRGBA:       only(lowerToRGBA),
	op.Copied:       only(lowerCopied),
	op.RMSNorm:      among(rmsNormVariants, nil),
	op.GroupMoments: only(lowerGroupMoments),
	op.GroupNorm:    only(lowerGroupNorm),
	op.Rotary:       only(lowerRotary),
	op.Gated:        only(lowerGated),
	op.RelativeBias: only(lowerRelativeBias),
	op.Unfold:       only(lowerUnfold),
	op.Route:        only(lowerRoute),
	op.Gather:       only(lowerGather),
	op.ScatterAdd:   only(lowerScatterAdd),
}

// products is MatMul with the variants that there are.
func products() operation {
	return operation{offered(matMulVariants), lowers(lowerMatMul), shapes(matMulShape)}
}

// operation is a row of the table.
type operation struct {
	offered func(Caps) []string // the names of the variants that a device can run
	lower   func(op.Node, Caps) ([]Launch, error)
	shape   func(op.Node) string // everything that decides which variant is the fastest; "": that is not measured
}

// among is an operation that picks one of its variants; shape is nil where that is not
// left to measurements.
func among[N op.Node](variants []variant[N, []Launch], shape func(N) string) operation {
	return operation{offered(variants), lowers(func(n N, c Caps) ([]Launch, error) {
		v, err := pick(variants, n, c)
		if err != nil {
			return nil, err
		}
		return v.launch(n, c), nil
	}), shapes(shape)}
}

// only is an operation with one variant, which runs everywhere.
func only[N op.Node](launch func(N, Caps) []Launch) operation {
	return among([]variant[N, []Launch]{{name: "plain", launch: launch}}, nil)
}

// lowers takes an operation's own struct.
func lowers[N op.Node](lower func(N, Caps) ([]Launch, error)) func(op.Node, Caps) ([]Launch, error) {
	return func(n op.Node, c Caps) ([]Launch, error) { return lower(n.(N), c) }
}

// shapes takes an operation's own struct.
func shapes[N op.Node](shape func(N) string) func(op.Node) string {
	if shape == nil {
		return unmeasured
	}
	return func(n op.Node) string { return shape(n.(N)) }
}

func unmeasured(op.Node) string { return "" }

// pick takes the first variant that the device can run and that fits, the preferred one
// before all others.
func pick[P, R any](variants []variant[P, R], p P, c Caps) (variant[P, R], error) {
	first := -1
	for i, v := range variants {
		if (v.needs == nil || v.needs(c)) && (v.fits == nil || v.fits(p)) {
			if v.name == c.Prefer {
				return v, nil
			}
			if first < 0 {
				first = i
			}
		}
	}
	if first >= 0 {
		return variants[first], nil
	}
	return variant[P, R]{}, fault.New(fault.Shape, "none of %d variants takes %+v", len(variants), p)
}

// offered names the variants that a device can run.
func offered[P, R any](variants []variant[P, R]) func(Caps) []string {
	return func(c Caps) (names []string) {
		for _, v := range variants {
			if v.needs == nil || v.needs(c) {
				names = append(names, v.name)
			}
		}
		return names
	}
}

// onCPU: software adapters run on a CPU, where barriers and shared memory are slow. Quirk: software-barriers.
func onCPU(c Caps) bool { return c.CPU }

// roomy devices have twice the workgroup memory of the portable floor.
func roomy(c Caps) bool { return c.SharedBytes >= 32<<10 }

// halves: the device computes in f16, and products may be rounded to it.
func halves(c Caps) bool { return c.F16 && c.Bits != 0 && c.Bits <= 16 }

// byBytes: the browser multiplies bytes, and products may be rounded to them.
func byBytes(c Caps) bool { return c.Dot4 && c.Bits == 8 }
