//go:build !js

package simd

import (
	"errors"
	"unsafe"
)

// Module is only to be had in a browser or under Node.
type Module struct{}

// Load returns nil: a native program has no module.
func Load() *Module { return nil }

// Open fails.
func Open(bool) (*Module, error) {
	return nil, errors.New("the SIMD module runs in a browser or under Node")
}

// Relaxed is false.
func (*Module) Relaxed() bool { return false }

// Run is never called: there is no module to call it on.
func (*Module) Run(Kernel, unsafe.Pointer) {}
