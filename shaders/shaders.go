// Package shaders embeds the WGSL kernels: one kernel per file, and the functions
// that several share in lib. engine/gpu joins them into the text given to WebGPU.
package shaders

import "embed"

// FS holds NAME.wgsl and lib/NAME.wgsl.
//
//go:embed *.wgsl lib/*.wgsl
var FS embed.FS
