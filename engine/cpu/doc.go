// Package cpu is the backend in plain Go: the reference that every other backend is
// compared with, and the slow fallback where there is no WebGPU.
//
// Tensors are kept in float32, as everywhere; every operation computes and
// accumulates in float64 and rounds once, when it writes. Each output element is
// summed in one fixed order, so results do not depend on the number of cores.
//
// In the browser most operations have a second form, in WebAssembly SIMD (package simd,
// Options.SIMD): float32 throughout, weights as they are stored, many times as fast. It is
// held to plain Go as a GPU is.
package cpu
