package simd

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// The committed modules are what the texts give.
func TestModulesAreWhatTheTextsGive(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("node", "assemble.mjs", dir).CombinedOutput(); err != nil {
		t.Fatalf("assemble.mjs: %v: %s (npm ci --prefix engine/cpu/simd installs what it needs)", err, out)
	}
	for _, name := range []string{"kernels.wasm", "relaxed.wasm"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what the texts give: node engine/cpu/simd/assemble.mjs engine/cpu/simd makes it anew", name)
		}
	}
}

// A module keeps nothing of its own in Go's memory: it has types, one import, functions,
// exports and code, no data, and exports its kernels: kernels.wasm every one.
func TestModulesHoldNothing(t *testing.T) {
	for _, name := range []string{"kernels.wasm", "relaxed.wasm"} {
		module, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var sections []byte
		for rest := module[8:]; len(rest) > 0; {
			size, n := binary.Uvarint(rest[1:])
			sections, rest = append(sections, rest[0]), rest[1+n+int(size):]
		}
		const types, imports, functions, exports, code = 1, 2, 3, 7, 10
		if !bytes.Equal(sections, []byte{types, imports, functions, exports, code}) {
			t.Errorf("%s has the sections %v", name, sections)
		}
		for k := range kernels {
			own := name == "kernels.wasm" || slices.Contains([]Kernel{Product, Conv3x3, WinogradProducts}, k)
			if own != bytes.Contains(module, append([]byte{byte(len(k.String()))}, k.String()...)) {
				t.Errorf("%s exports %s: %t, want %t", name, k, !own, own)
			}
		}
	}
}
