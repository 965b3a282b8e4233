// Package browser starts a real browser with WebGPU for what is measured in one.
package browser
