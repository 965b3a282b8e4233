package shell

import (
	"syscall/js"
	"time"

	"undertone/wasm/host"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// DeviceStatus names the device in the header.
type DeviceStatus struct{ device, kind, adapter ui.Element }

// NewDeviceStatus takes over its place in the header.
func NewDeviceStatus() *DeviceStatus {
	v := &DeviceStatus{device: ui.ByID("device"), kind: ui.El("span", nil), adapter: ui.El("span", nil)}
	ui.Append(v.device, v.kind, v.adapter)
	return v
}

// Render draws it.
func (v *DeviceStatus) Render(s *app.State) {
	kind, adapter, cpu := words.Text.DeviceGPU, s.Loaded.Adapter, s.Loaded.Backend == "cpu"
	chosen := cpu && s.Loaded.Choice != ""
	switch {
	case chosen:
		kind, adapter = words.Text.DeviceFaster, ""
	case cpu:
		kind, adapter = words.Text.DeviceCPU, ""
	case s.Loaded.Software:
		kind = words.Text.DeviceSoft
	}
	ui.SetText(v.kind, kind)
	ui.SetText(v.adapter, adapter)
	ui.Show(v.adapter, adapter != "")
	ui.SetFlag(v.device, "data-slow", cpu || s.Loaded.Software)
	measures := ""
	if s.Loaded.Tuning.State == "running" {
		measures = words.Text.TuningRunning
	}
	v.device.SetAttribute("title", measures)
	ui.SetFlag(v.device, "data-tuning", measures != "")
	ui.Show(v.device, s.Loaded.Backend != "")
}

// LookForGPU asks for an adapter, which costs nothing and is given back. Where there is
// none, it measures the CPU. It waits.
func LookForGPU(a *app.App) {
	set := func(webgpu bool, why app.Reason) {
		a.Update(func(s *app.State) { s.Device.Known, s.Device.WebGPU, s.Device.Reason = true, webgpu, why })
	}
	gpu := host.Get("navigator", "gpu")
	switch {
	case gpu.Truthy():
		adapter, err := promise.Of(gpu.Call("requestAdapter"))
		if err == nil && adapter.Truthy() {
			set(true, app.NoWebGPU)
			return
		}
		set(false, app.NoAdapter)
	case !js.Global().Get("isSecureContext").Bool():
		set(false, app.Insecure)
	default:
		set(false, app.NoWebGPU)
	}
	time.Sleep(100 * time.Millisecond) // let the page be drawn first
	share := float64(shareOfGo)
	if hasSIMD() {
		share = shareOfSIMD
	}
	speed := cpuSpeed() * share
	a.Update(func(s *app.State) { s.Device.CPUSpeed = speed })
}

// hasSIMD reports whether the browser takes a program with vectors, as the CPU device has
// one: a function that returns i8x16.popcnt(i8x16.splat(0)).
func hasSIMD() bool {
	program := []byte{0, 'a', 's', 'm', 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x62, 0x0b}
	return js.Global().Get("WebAssembly").Call("validate", app.Bytes(program)).Bool()
}
