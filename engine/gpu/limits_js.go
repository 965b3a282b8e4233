package gpu

import (
	"context"
	"syscall/js"
)

// Limits are those that Open would raise, as the browser's adapter has them: none where it
// offers no adapter. No device is opened.
func Limits(ctx context.Context) (limits map[string]int64) {
	defer func() {
		if recover() != nil { // the browser threw
			limits = nil
		}
	}()
	gpu := js.Global().Get("navigator").Get("gpu")
	if !gpu.Truthy() {
		return nil
	}
	adapter, err := waitFor(ctx, gpu.Call("requestAdapter", map[string]any{"powerPreference": "high-performance"}))
	if err != nil || !adapter.Truthy() {
		return nil
	}
	limits = map[string]int64{}
	for _, name := range raised {
		if v := adapter.Get("limits").Get(name); v.Type() == js.TypeNumber {
			limits[name] = int64(v.Float())
		}
	}
	return limits
}
