package simd

import (
	"syscall/js"
	"testing"
)

// Where the browser refuses a module, Load takes the other, or none. Under Node: see
// `make gpu`.
func TestVectorsLoadWhatIsAccepted(t *testing.T) {
	wasm := js.Global().Get("WebAssembly")
	accepted := wasm.Get("Module")
	defer wasm.Set("Module", accepted)
	refuse := js.Global().Get("Function").New("accepted", "refused", `let tries = 0;
		return function (bytes) {
			if (++tries <= refused) throw new WebAssembly.CompileError("no such instruction");
			return new accepted(bytes);
		};`)
	for refused, want := range []string{"relaxed", "plain", "none"} {
		wasm.Set("Module", refuse.Invoke(accepted, refused))
		m := Load()
		got := "none"
		if m != nil {
			got = map[bool]string{true: "relaxed", false: "plain"}[m.Relaxed()]
		}
		if got != want {
			t.Errorf("with %d refused: %s, want %s", refused, got, want)
		}
	}
}
