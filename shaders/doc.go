// Package shaders embeds the WGSL kernels: one kernel per file, and the functions
// that several share in lib. engine/gpu joins them into the text given to WebGPU.
package shaders
