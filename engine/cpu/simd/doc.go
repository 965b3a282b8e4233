// Package simd holds the CPU device's kernels in WebAssembly SIMD, which Go's compiler
// does not emit, and runs them on Go's own memory.
//
// The kernels are written in WebAssembly's text format (*.wat) and assembled by
// assemble.mjs into two small modules, which are committed: kernels.wasm, all of them, and
// relaxed.wasm, products of matrices once more, fused by relaxed SIMD. A module imports the memory that Go's program
// exports, so a kernel works on slices where they lie: Go's heap does not move, and memory
// that grows stays where it is. After a change of a text:
//
//	npm ci --prefix engine/cpu/simd && node engine/cpu/simd/assemble.mjs engine/cpu/simd
package simd
