package cpu

import (
	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// Winograd's convolution pays where there are so many channels on both sides; so many
// tiles of 2×2 pixels are made at once, so that they stay in the cache.
const (
	winogradChannels = 16
	tilesInCall      = 64
	winogradMatrices = 16
	winogradGap      = 16 // elements between two matrices: a power of two apart, they would not fit the cache at once
)

// winograd reports whether vectorWinograd takes a convolution.
func winograd(n *op.Conv3x3Op) bool {
	in, out := n.X.Cols, n.Out.Cols
	return in%op.Align == 0 && out%op.Align == 0 && min(in, out) >= winogradChannels
}

// vectorWinograd: tiles become rows of sixteen matrices, which are multiplied by as many
// of weights, and their products pixels. See simd/winograd.wat.
func vectorWinograd(j *job, n *op.Conv3x3Op) {
	v, x, out, bias, residual := j.m.simd, f32(n.X), f32(n.Out), f32(n.Bias), f32(n.Residual)
	in, channels := uint32(x.Cols), uint32(out.Cols)
	weights, panel := v.widened(n.Weight, 0, n.Weight.Rows)
	panels := op.CeilDiv(out.Cols, panelRows)
	all := room(&v.winograd, winogradMatrices*(panels*panelRows*x.Cols+tilesInCall*(x.Cols+out.Cols)+3*winogradGap))
	apart := func(elements int) uint32 { return uint32(4 * (elements + winogradGap)) }
	weightsApart, tilesApart, productsApart := apart(panels*panelRows*x.Cols), apart(tilesInCall*x.Cols), apart(tilesInCall*out.Cols)
	sums := address(all, 0)
	tiles := sums + winogradMatrices*weightsApart
	products := tiles + winogradMatrices*tilesApart
	for i := range panels {
		v.run(simd.WinogradWeights, weights+uint32(i*panel), in, sums+uint32(4*i*panelRows*x.Cols), weightsApart)
	}
	zeros := room(&v.zeros, x.Cols)
	clear(zeros)
	count := op.CeilDiv(n.Width, 2) * op.CeilDiv(n.Height, 2)
	table := room(&v.table, winogradMatrices*tilesInCall)
	for from := 0; from < count; from += tilesInCall {
		here := min(tilesInCall, count-from)
		v.run(simd.WinogradInput, x.at(0), x.apart(), uint32(n.Width), uint32(n.Height), uint32(from), uint32(here), in, address(zeros, 0), tiles, tilesApart)
		for i := range table {
			table[i] = tiles + uint32(i/tilesInCall)*tilesApart + 4*in*uint32(min(i%tilesInCall, here-1))
		}
		v.gemm = product{table: address(table, 0), taps: 1, width: in,
			weights: sums, apart: 4 * panelRows, panel: 4 * panelRows * in, columns: channels, height: uint32(here),
			out: products, stride: 4 * channels, scale: 1,
			tablesApart: 4 * tilesInCall, weightsApart: weightsApart, outApart: productsApart}
		v.multiply(simd.WinogradProducts)
		v.run(simd.WinogradOutput, products, productsApart, uint32(n.Width), uint32(n.Height), uint32(from), uint32(here), channels,
			out.at(0), out.apart(), bias.at(0), residual.at(0), residual.apart(), uint32(n.Act))
		if j.err = j.m.tick(j.ctx); j.err != nil {
			return
		}
	}
}
