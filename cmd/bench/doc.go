// Command bench measures Undertone beside other libraries that compute in browsers, in one
// page of one Chromium: onnxruntime-web, jax-js and tfjs. `make bench` runs it.
//
// The page (page/) holds the kernels of web/bench.js and those of the others against each
// other, then whole pictures of the shipped model against the same model in onnxruntime-web
// (package onnx writes its files out of the very weights), then pictures without a GPU. All
// take turns, and medians are told. The program serves the page, drives the browser and
// lends the clock: with a software adapter the work of a GPU is work of the browser's
// processes, and the CPU time of these repeats to a few per cent where the time that passes
// depends on who else computes.
package main
