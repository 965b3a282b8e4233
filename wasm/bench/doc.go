//go:build js

// Command bench measures a WebGPU adapter with Undertone's own kernels and pictures.
// web/bench.js drives it, in a worker of the page bench.html or under Node: it calls the
// functions of globalThis.undertoneBench, each of which takes and gives plain objects, one
// at a time. What they measure is the engine's own code; the program adds the shapes, the
// clock and the comparison with the CPU.
package main
