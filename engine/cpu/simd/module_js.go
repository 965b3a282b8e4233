package simd

import (
	_ "embed" // of the modules
	"fmt"
	"runtime"
	"syscall/js"
	"unsafe"
)

//go:embed kernels.wasm
var plain []byte

//go:embed relaxed.wasm
var relaxed []byte

// Module is the kernels, ready to run.
type Module struct {
	relaxed bool
	run     [kernels]js.Value
}

// Load takes the fastest kernels that the browser accepts, nil where it accepts none.
func Load() *Module {
	for _, fused := range []bool{true, false} {
		if m, err := Open(fused); err == nil {
			return m
		}
	}
	return nil
}

// Open takes products from the module with relaxed SIMD's fused ones, or does without. It needs
// the object wasm among the global ones, which holds the instance of Go's program.
func Open(fused bool) (m *Module, err error) {
	defer func() {
		if thrown := recover(); thrown != nil { // an exception in New is a panic
			m, err = nil, fmt.Errorf("the SIMD module: %v", thrown)
		}
	}()
	binaries := [][]byte{plain}
	if fused {
		binaries = [][]byte{relaxed, plain}
	}
	wasm := js.Global().Get("WebAssembly")
	program := js.Global().Get("wasm").Get("instance").Get("exports")
	m = &Module{relaxed: fused}
	for _, binary := range binaries {
		bytes := js.Global().Get("Uint8Array").New(len(binary))
		js.CopyBytesToJS(bytes, binary)
		module := wasm.Get("Module").New(bytes)
		exports := wasm.Get("Instance").New(module, map[string]any{"go": map[string]any{"mem": program.Get("mem")}}).Get("exports")
		for k := range m.run {
			if m.run[k].IsUndefined() {
				m.run[k] = exports.Get(names[k])
			}
		}
	}
	return m, nil
}

// Relaxed reports whether products are fused, by which results differ in the last place
// from one kind of processor to another.
func (m *Module) Relaxed() bool { return m.relaxed }

// Run runs a kernel with its arguments, which must be on Go's heap, as must be what they
// hold addresses of. The caller keeps that alive.
func (m *Module) Run(k Kernel, args unsafe.Pointer) {
	m.run[k].Invoke(int(uintptr(args)))
	runtime.KeepAlive(args)
}
