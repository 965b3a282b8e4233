package gpu

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Options chooses what kind of device is asked for.
type Options struct {
	// Portable asks for a device without any limit or feature: what every browser
	// with WebGPU can give.
	Portable bool
	// Hardware treats a software adapter like a GPU, so that tests can run the
	// kernels meant for one.
	Hardware bool
	// Matrices asks for subgroup matrices, which browsers have where their users allowed unsafe APIs,
	// and kernels use after OfferMatrices.
	Matrices bool
	// Gentle halves the work of a submit so many times, after a device was lost
	// that may have had too much of it at once. Pictures stay the same.
	Gentle int
	// Submit is the most arithmetic in one submit, in FLOPs, where that is not to be
	// learned from the times of submits. Pictures stay the same.
	Submit float64
	// Poison fills new memory, and the padding of what is written, with NaN, so
	// that tests see a kernel that reads what nobody wrote.
	Poison bool
}

// Device is the WebGPU backend. It implements op.Backend.
type Device struct {
	js     js.Value // GPUDevice
	dev    wgpu.Device
	jsq    js.Value // GPUQueue
	replay js.Value // web/replay.js
	caps   Caps
	info   op.Info
	poison bool
	pace   // of submits

	lost chan struct{} // closed when the device is gone

	mu      sync.Mutex // callbacks of the browser run on their own goroutines
	lostWhy error
	trouble error // the first error that nobody has been told of yet

	memory    memory
	pipelines pipelines
	programs  map[*Program]bool // that are not closed
	uploads   uploads
	staging   *buffer     // see fetch
	inflight  []submitted // oldest first
	sending   []byte
	onError   js.Func
	closed    bool
}

// Open finds the adapter and requests a device with all the adapter's limits and
// the features that kernels use (or none, see Options.Portable). Errors:
// fault.NoWebGPU, InsecureContext, NoAdapter, DeviceRefused (also of a device that
// is lost from the start, as browsers give out while a GPU process is dying).
func Open(ctx context.Context, o Options) (d *Device, err error) {
	defer func() {
		if e, ok := recover().(js.Error); ok {
			d, err = nil, fault.Wrap(e, fault.DeviceRefused, "the browser refused a GPU device")
		}
	}()
	gpu := js.Global().Get("navigator").Get("gpu")
	if !gpu.Truthy() {
		if secure := js.Global().Get("isSecureContext"); secure.Type() == js.TypeBoolean && !secure.Bool() {
			return nil, fault.New(fault.InsecureContext, "this page was not loaded over https or from localhost")
		}
		return nil, fault.New(fault.NoWebGPU, "this browser has no WebGPU")
	}
	// Quirk: adapter-once. Quirk: binding-limits.
	adapter, err := waitFor(ctx, gpu.Call("requestAdapter", map[string]any{"powerPreference": "high-performance"}))
	if err != nil || !adapter.Truthy() {
		if ctx.Err() != nil {
			return nil, aborted(ctx)
		}
		return nil, fault.Wrap(err, fault.NoAdapter, "the browser offers no GPU adapter")
	}
	raw, err := waitFor(ctx, adapter.Call("requestDevice", request(adapter, o)))
	if err != nil || !raw.Truthy() {
		if ctx.Err() != nil {
			return nil, aborted(ctx)
		}
		return nil, fault.Wrap(err, fault.DeviceRefused, "the adapter gave no device")
	}
	d = newDevice(adapter, raw, o)
	if err := d.idle(ctx); err != nil {
		d.Close()
		if fault.Is(err, fault.DeviceLost) {
			err = fault.Wrap(err, fault.DeviceRefused, "the browser gave a GPU device that cannot be used")
		}
		return nil, err
	}
	return d, nil
}

func waitFor(ctx context.Context, p js.Value) (js.Value, error) {
	select {
	case s := <-promise(p):
		return s.value, s.err
	case <-ctx.Done():
		return js.Undefined(), aborted(ctx)
	}
}

// features are those that kernels and the profiler use.
var features = []string{"shader-f16", "subgroups", "timestamp-query", subgroupMatrices}

// subgroupMatrices are only asked for where Options.Matrices says so.
const subgroupMatrices = "chromium-experimental-subgroup-matrix"

// raised are the limits asked for in full; the others stay at their defaults.
var raised = []string{
	"maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage",
	"maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX",
	"maxComputeWorkgroupSizeY",
}

// request builds the GPUDeviceDescriptor.
func request(adapter js.Value, o Options) map[string]any {
	if o.Portable {
		return map[string]any{}
	}
	var want []any
	for _, f := range features {
		if adapter.Get("features").Call("has", f).Bool() && (o.Matrices || f != subgroupMatrices) {
			want = append(want, f)
		}
	}
	limits := map[string]any{}
	for _, name := range raised {
		if v := adapter.Get("limits").Get(name); v.Type() == js.TypeNumber {
			limits[name] = v
		}
	}
	return map[string]any{"requiredFeatures": want, "requiredLimits": limits}
}

func newDevice(adapter, raw js.Value, o Options) *Device {
	d := &Device{js: raw, dev: wgpu.NewDevice(raw), jsq: raw.Get("queue"), poison: o.Poison,
		lost: make(chan struct{})}
	d.replay = js.Global().Get("UndertoneReplay").New(raw)
	d.describe(adapter, o)
	d.pace = newPace(cmp.Or(o.Submit, d.caps.submitLimit())/float64(int64(1)<<min(o.Gentle, 10)), o.Submit != 0 || d.caps.CPU)
	d.memory.owned, d.memory.sizes = map[uint32]*wgpu.Buffer{}, map[uint32]int64{}
	d.pipelines.init()
	d.programs = map[*Program]bool{}

	var onLost js.Func
	onLost = js.FuncOf(func(_ js.Value, args []js.Value) any {
		d.markLost(fmt.Sprintf("%s (%s)", jsString(args[0].Get("message")), jsString(args[0].Get("reason"))))
		onLost.Release()
		return nil
	})
	raw.Get("lost").Call("then", onLost)
	d.onError = js.FuncOf(func(_ js.Value, args []js.Value) any {
		args[0].Call("preventDefault") // the caller hears of it, the console need not
		code, message := classify(args[0].Get("error"))
		d.fail(fault.New(code, "%s", message))
		return nil
	})
	raw.Call("addEventListener", "uncapturederror", d.onError)
	return d
}

// describe fills Caps and Info from what was granted.
func (d *Device) describe(adapter js.Value, o Options) {
	limits, has := d.js.Get("limits"), d.js.Get("features")
	limit := func(name string) int64 {
		if v := limits.Get(name); v.Type() == js.TypeNumber {
			return int64(v.Float())
		}
		return 0
	}
	about := adapter.Get("info")
	word := func(name string) string {
		if !about.Truthy() {
			return ""
		}
		return jsString(about.Get(name))
	}
	number := func(name string) int {
		if v := about.Get(name); v.Type() == js.TypeNumber {
			return v.Int()
		}
		return 0
	}
	d.info = op.Info{Backend: "webgpu", Features: []string{}, Limits: map[string]int64{}, Extra: map[string]string{}}
	for _, f := range features {
		if has.Call("has", f).Bool() {
			d.info.Features = append(d.info.Features, f)
		}
	}
	for _, name := range raised {
		d.info.Limits[name] = limit(name)
	}
	for _, name := range []string{"vendor", "architecture", "device", "description"} {
		if w := word(name); w != "" {
			d.info.Extra[name] = w
		}
	}
	d.info.Adapter = adapterName(word("description"), word("vendor"), word("architecture"))
	d.info.Software = software(about, d.info.Adapter)

	c := Caps{
		F16: has.Call("has", "shader-f16").Bool(), Subgroups: has.Call("has", "subgroups").Bool(),
		CPU:            d.info.Software && !o.Hardware,
		Dot4:           !o.Portable && language("packed_4x8_integer_dot_product"),
		StorageBuffers: int(limit("maxStorageBuffersPerShaderStage")),
		SharedBytes:    int(limit("maxComputeWorkgroupStorageSize")),
		Invocations:    int(limit("maxComputeInvocationsPerWorkgroup")),
		MaxBinding:     limit("maxStorageBufferBindingSize"), MaxBuffer: limit("maxBufferSize"),
	}
	if c.Subgroups && about.Truthy() {
		c.SubgroupMin, c.SubgroupMax = number("subgroupMinSize"), number("subgroupMaxSize")
	}
	if listMatrices != nil && has.Call("has", subgroupMatrices).Bool() && language("subgroup_id") {
		c.Matrices = listMatrices(about.Get("subgroupMatrixConfigs"))
	}
	d.caps = c
	d.info.Plan = planID(c)
}

// language tells whether the browser's WGSL has a feature.
func language(feature string) bool {
	has := js.Global().Get("navigator").Get("gpu").Get("wgslLanguageFeatures")
	return has.Truthy() && has.Call("has", feature).Bool()
}

// adapterName puts together what the browser is willing to tell: Chromium keeps
// the description to itself, Safari tells next to nothing.
func adapterName(description, vendor, architecture string) string {
	family := strings.TrimSpace(vendor + " " + architecture)
	switch {
	case description == "" && family == "":
		return "a GPU that the browser does not name"
	case description == "":
		return family
	case family == "":
		return description
	}
	return description + " (" + family + ")"
}

// software reports whether the adapter computes on the CPU.
func software(about js.Value, name string) bool {
	if about.Truthy() && about.Get("isFallbackAdapter").Truthy() {
		return true
	}
	name = strings.ToLower(name)
	for _, s := range []string{"swiftshader", "llvmpipe", "lavapipe", "basic render"} {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}

// Info describes the adapter.
func (d *Device) Info() op.Info { return d.info }

// Caps is what kernels are chosen by.
func (d *Device) Caps() Caps { return d.caps }

// Prefer has programs compiled from now on take the variant of this name wherever the
// device can run it and it fits, as measurements do; "" takes the usual ones again.
func (d *Device) Prefer(variant string) {
	d.caps.Prefer = variant
	d.info.Plan = planID(d.caps)
}

// Round lets programs compiled from now on take variants that round the operands of products to
// 16 or 8 bits, where a measurement chose them or they are preferred by name; 0: none.
func (d *Device) Round(bits int) {
	d.caps.Bits = bits
	d.info.Plan = planID(d.caps)
}

// Variants names those of an operation that the device can run, the usual first.
func (d *Device) Variants(k op.Kind) []string { return operations[k].offered(d.caps) }

// Lost is closed when the device is gone: a crash, sleep, a driver update, or a
// watchdog. A new one must be opened; everything made on this one is gone too.
func (d *Device) Lost() <-chan struct{} { return d.lost }

func (d *Device) markLost(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lostWhy == nil {
		d.lostWhy = fault.New(fault.DeviceLost, "the GPU device was lost: %s", why)
		close(d.lost)
	}
}

func (d *Device) lostError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lostWhy
}

// fail notes an error that no call is waiting for; the next call reports it.
func (d *Device) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.trouble == nil {
		d.trouble = err
	}
}

// ready reports why the device cannot be used: closed, lost, aborted, or an error
// noted since the last call.
func (d *Device) ready(ctx context.Context) error {
	if d.closed {
		return fault.New(fault.Closed, "the GPU device was closed")
	}
	if err := d.lostError(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return aborted(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.trouble
	d.trouble = nil
	return err
}

// Sync waits until all submitted work is done, and reports what went wrong in it:
// loss, validation errors, memory that could not be had, and weights that are not
// finite (fault.WeightsNotFinite, naming the tensor).
func (d *Device) Sync(ctx context.Context) (err error) {
	defer d.guard(&err)
	if err := d.ready(ctx); err != nil {
		return err
	}
	if err := d.flush(); err != nil {
		return err
	}
	if err := d.idle(ctx); err != nil {
		return err
	}
	if err := d.checkWeights(ctx); err != nil {
		return err
	}
	return d.ready(ctx)
}

// idle waits for the queue and for the answers of all error scopes.
func (d *Device) idle(ctx context.Context) error {
	if _, err := d.await(ctx, d.jsq.Call("onSubmittedWorkDone")); err != nil {
		return err
	}
	d.hearAll()
	if err := d.answered(ctx); err != nil {
		return err
	}
	// The queue of a lost device counts as done. Let the news of a loss, which may
	// stand right behind it, come in first.
	if _, err := d.await(ctx, js.Global().Get("Promise").Call("resolve")); err != nil {
		return err
	}
	return d.ready(ctx)
}

// Close destroys everything the device holds.
func (d *Device) Close() {
	if d.closed {
		return
	}
	d.closed = true
	for id := range d.memory.owned {
		d.destroy(&buffer{id: id})
	}
	d.js.Call("removeEventListener", "uncapturederror", d.onError)
	d.onError.Release()
	d.js.Call("destroy")
}
