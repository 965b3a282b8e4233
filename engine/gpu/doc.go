// Package gpu is the WebGPU backend. Choosing kernels (lower*.go, variants.go, launch.go)
// is plain Go and is tested on any machine; everything that touches the browser is in
// *_js.go files.
package gpu
