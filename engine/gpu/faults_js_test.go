package gpu

import (
	"context"
	"math"
	"slices"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// soon bounds every wait of these tests: nothing may hang.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// adder is x += y on a device.
type adder struct {
	d    *Device
	x, y *op.Tensor
	p    op.Program
}

func newAdder(t *testing.T, d *Device) adder {
	t.Helper()
	x, err := d.New("x", op.F32, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	y, err := d.New("y", op.F32, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	ones := make([]float32, 64*64)
	for i := range ones {
		ones[i] = float32(i%7) + 0.1
	}
	if err := d.Write(y, ones); err != nil {
		t.Fatal(err)
	}
	l := op.NewList("adder")
	l.Add(x, l.Add(y, y, nil), x)
	p, err := d.Compile(soon(t), l)
	if err != nil {
		t.Fatal(err)
	}
	return adder{d, x, y, p}
}

// throwing makes a method of a JavaScript object throw.
func throwing(v js.Value, method string) {
	v.Set(method, js.Global().Get("Function").New("throw new DOMException('planted', 'OperationError')"))
}

// onSubmit calls f before every submit.
func onSubmit(t *testing.T, d *Device, f func()) {
	callback := js.FuncOf(func(js.Value, []js.Value) any { f(); return nil })
	t.Cleanup(callback.Release)
	js.Global().Get("Function").New("queue", "callback", `
		const submit = queue.submit.bind(queue);
		queue.submit = (list) => { callback(); submit(list); };`).Invoke(d.jsq, callback)
}

// TestAbortSubmitsNothingMore cancels in the middle of a run of many submits, and
// in the middle of an upload of several chunks.
func TestAbortSubmitsNothingMore(t *testing.T) {
	d := open(t, Options{})
	x, err := d.New("x", op.F32, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	one := op.NewStorage("one", op.Temp, op.F32, 64, 64)
	l := op.NewList("long")
	for range 20 {
		l.Add(x, one, x)
	}
	p, err := d.Compile(soon(t), l)
	if err != nil {
		t.Fatal(err)
	}
	cmd := &p.(*Program).cmd
	cmd.splits, cmd.work = nil, make([]float64, 20) // one launch in each submit
	for i := range 21 {
		cmd.splits = append(cmd.splits, i)
	}
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	submits, stop := 0, cancel
	onSubmit(t, d, func() {
		if submits++; submits%7 == 0 {
			stop()
		}
	})
	if err := p.Run(ctx); !fault.Is(err, fault.Aborted) || submits != 7 {
		t.Errorf("cancelled at submit 7 of 20: %v after %d, want the fault %s", err, submits, fault.Aborted)
	}
	again, cancelAgain := context.WithCancel(soon(t))
	defer cancelAgain()
	submits, stop = 6, cancelAgain
	before, bytes := d.Buffers()
	if _, err := d.Upload(again, weightOf(zeros(5*chunkBytes))); !fault.Is(err, fault.Aborted) || submits != 7 {
		t.Errorf("cancelled at the first chunk of 5: %v after %d submits, want the fault %s", err, submits-6, fault.Aborted)
	}
	const transit = 3 // what uploads pass through: raw bytes, counters, parameters
	if n, b := d.Buffers(); n > before+transit || b > bytes+2*chunkBytes {
		t.Errorf("%d buffers of %d bytes became %d of %d", before, bytes, n, b)
	}
	if err := p.Run(soon(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// zeros is a source of that many zero bytes.
type zeros int64

func (z zeros) Size() int64 { return int64(z) }

func (z zeros) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	return len(p), nil
}

// weightOf describes all of src as a matrix.
func weightOf(src op.Source) op.WeightSpec {
	return op.WeightSpec{Name: "w", Use: op.UseMatrix, DType: op.F16, Rows: int(src.Size() / 64), Cols: 32, Data: src}
}

func TestOutOfMemory(t *testing.T) {
	d := open(t, Options{})
	if _, err := d.New("absurd", op.F32, 1<<20, 1<<20); !fault.Is(err, fault.LimitExceeded) || !strings.Contains(err.Error(), "4398046511104 bytes") {
		t.Errorf("4 TiB: %v, want the fault %s naming the bytes", err, fault.LimitExceeded)
	}
	absurd := weightOf(zeros(1 << 40))
	absurd.Use = op.UseVector
	if _, err := d.Upload(soon(t), absurd); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("a weight of 1 TiB: %v, want the fault %s", err, fault.LimitExceeded)
	}
	newAdder(t, d).p.Close() // compiles the kernel, so that only buffers are left to fail
	// What uploads pass through stays, too.
	before, bytes := d.Buffers()

	short := shortOfMemory(d)
	for nth := range 4 {
		short(nth)
		_, err := d.New("large", op.F32, 1024, 1024)
		if nth == 0 && (!fault.Is(err, fault.OutOfMemory) || !strings.Contains(err.Error(), "4194304 bytes")) {
			t.Errorf("New without memory: %v, want the fault %s naming the bytes", err, fault.OutOfMemory)
		}
		short(nth)
		x, y := op.NewStorage("x", op.Temp, op.F32, 64, 64), op.NewStorage("y", op.Temp, op.F32, 64, 64)
		l := op.NewList("list")
		l.Add(l.Add(x, y, nil), y, nil)
		p, err := d.Compile(soon(t), l)
		if nth < 3 && !fault.Is(err, fault.OutOfMemory) {
			t.Errorf("Compile without memory for buffer %d: %v, want the fault %s", nth, err, fault.OutOfMemory)
		}
		if p != nil {
			p.Close()
		}
	}
	short(-1)
	if err := d.Sync(soon(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if n, b := d.Buffers(); n != before+3 || b != bytes+3*4<<20 {
		t.Errorf("%d buffers of %d bytes, there should be %d of %d", n, b, before+3, bytes+3*4<<20)
	}
}

// shortOfMemory lets the n-th allocation from now on be answered with an
// out-of-memory error, as often as the function it returns is called.
func shortOfMemory(d *Device) func(nth int) {
	plant := js.Global().Get("Function").New("device", `
		let left = -1;
		const pop = device.popErrorScope.bind(device);
		device.popErrorScope = async () => {
			const real = await pop();
			return left-- === 0 ? new GPUOutOfMemoryError("planted") : real;
		};
		return (nth) => { left = nth; };`).Invoke(d.js)
	return func(nth int) { plant.Invoke(nth) }
}

func TestValidationErrorIsToldOnce(t *testing.T) {
	d := open(t, Options{})
	a := newAdder(t, d)
	d.js.Call("createBuffer", map[string]any{"size": 16, "usage": 0})
	if err := d.Sync(soon(t)); !fault.Is(err, fault.GPUValidation) {
		t.Errorf("after an invalid call: %v, want the fault %s", err, fault.GPUValidation)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Errorf("told twice: %v", err)
	}
	throwing(d.jsq, "submit")
	if err := a.p.Run(soon(t)); !fault.Is(err, fault.GPUValidation) {
		t.Errorf("submit throws: %v, want the fault %s", err, fault.GPUValidation)
	}
	d.jsq.Delete("submit")
	if err := a.p.Run(soon(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestShaderCompile(t *testing.T) {
	d := open(t, Options{})
	x := op.NewStorage("x", op.Temp, op.F32, 4, 4).Storage
	broken := Launch{Bind: []Binding{{Storage: x, Write: true}}, Groups: [3]int{1, 1, 1},
		Kernel: Kernel{File: "activation", Prelude: "const A: u32 = 1u;\nconst B: u32 = nowhere;\n"}}
	_, err := d.prepare(soon(t), []Launch{broken})
	if !fault.Is(err, fault.ShaderCompile) || !strings.Contains(err.Error(), "prelude of activation:2") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v, want the fault %s naming line 2 of the prelude", err, fault.ShaderCompile)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Errorf("the same error is told again: %v", err)
	}
}

func TestReplayIsConstant(t *testing.T) {
	d := open(t, Options{})
	a := newAdder(t, d)
	if _, err := d.Read(soon(t), a.x); err != nil { // makes what readings pass through, which stays
		t.Fatal(err)
	}
	count, bytes := d.Buffers()
	var first []float32
	for range 20 {
		if err := d.Write(a.x, make([]float32, 64*64)); err != nil {
			t.Fatal(err)
		}
		if err := a.p.Run(soon(t)); err != nil {
			t.Fatal(err)
		}
		got, err := d.Read(soon(t), a.x)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !slices.EqualFunc(got, first, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Fatal("the same input gave other bytes")
		}
	}
	if n, b := d.Buffers(); n != count || b != bytes {
		t.Errorf("20 runs turned %d buffers of %d bytes into %d of %d", count, bytes, n, b)
	}
	if first[8] != 2*1.1 {
		t.Errorf("element 8 is %g, want 2.2", first[8])
	}
	t.Logf("encoding took %v", a.p.(*Program).EncodeTime())
}

// TestOpenFaults gives the reasons for which there is no device.
func TestOpenFaults(t *testing.T) {
	navigator := js.Global().Get("navigator")
	real := navigator.Get("gpu")
	defer navigator.Set("gpu", real)
	script := func(body string) js.Value { return js.Global().Get("Function").New("real", body).Invoke(real) }
	for _, c := range []struct {
		gpu  js.Value
		code fault.Code
	}{
		{js.Undefined(), fault.NoWebGPU},
		{script("return { requestAdapter: async () => null }"), fault.NoAdapter},
		{script("return { requestAdapter: async () => { throw new Error('planted') } }"), fault.NoAdapter},
		{script("return { requestAdapter() { throw new Error('planted') } }"), fault.DeviceRefused},
		{script(`return { requestAdapter: async () => {
			const a = await real.requestAdapter();
			return { features: a.features, limits: a.limits, info: a.info, requestDevice: async () => { throw new DOMException('planted', 'OperationError') } };
		} }`), fault.DeviceRefused},
		{script(`return { requestAdapter: async () => {
			const a = await real.requestAdapter();
			return { features: a.features, limits: a.limits, info: a.info, requestDevice: async (o) => {
				const born = await a.requestDevice(o);
				born.destroy();
				return born;
			} };
		} }`), fault.DeviceRefused},
	} {
		navigator.Set("gpu", c.gpu)
		start := time.Now()
		if _, err := Open(soon(t), Options{}); !fault.Is(err, c.code) || time.Since(start) > time.Second {
			t.Errorf("Open gave %v after %v, want the fault %s", err, time.Since(start), c.code)
		}
	}
	navigator.Set("gpu", js.Undefined())
	js.Global().Set("isSecureContext", false)
	defer js.Global().Delete("isSecureContext")
	if _, err := Open(soon(t), Options{}); !fault.Is(err, fault.InsecureContext) {
		t.Errorf("on an insecure page: %v", err)
	}
}
