package shaders

import "embed"

// FS holds NAME.wgsl and lib/NAME.wgsl.
//
//go:embed *.wgsl lib/*.wgsl
var FS embed.FS
