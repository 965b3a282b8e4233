package gpu

import (
	"context"
	"strings"
	"syscall/js"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// starve lets the n-th buffer from now on get no memory, as often as the function
// it returns is called. As in earnest, the buffer is invalid then, and everything
// that is done with it is an error of its own. The second function tells whether it
// came to that.
func starve(d *Device) (at func(n int), met func() bool) {
	plant := js.Global().Get("Function").New("device", `
		let left = -1, met = false, answers = 0;
		const create = device.createBuffer.bind(device), pop = device.popErrorScope.bind(device);
		device.createBuffer = (d) => {
			if (left-- !== 0) return create(d);
			met = true;
			answers++;
			device.pushErrorScope("validation");
			const none = create({ size: 16, usage: 0 });
			pop();
			return none;
		};
		device.popErrorScope = async () => {
			const planted = answers > 0 && answers--;
			const real = await pop();
			return planted ? new GPUOutOfMemoryError("planted") : real;
		};
		return [(n) => { left = n; met = false; }, () => met];`).Invoke(d.js)
	return func(n int) { plant.Index(0).Invoke(n) }, func() bool { return plant.Index(1).Invoke().Bool() }
}

// uncaptured counts the errors that reach the device without a scope.
func uncaptured(d *Device) func() int {
	count := js.Global().Get("Function").New("device", `
		let n = 0;
		device.addEventListener("uncapturederror", () => n++);
		return () => n;`).Invoke(d.js)
	return func() int { return count.Invoke().Int() }
}

// TestEveryBuffer gives no memory to every buffer of a piece of work in its turn.
// That, and not what follows from it, is what the work ends with, whichever of them
// the browser tells first, as nothing is done with a buffer that has no memory;
// nothing of the work is left, and the same work then succeeds.
func TestEveryBuffer(t *testing.T) {
	d := open(t, Options{})
	errors := uncaptured(d)
	work := func(ctx context.Context) (err error) {
		var made []*op.Tensor
		defer func() { d.Free(made...) }()
		if d.staging != nil { // it would serve again
			d.destroy(d.staging)
			d.staging = nil
		}
		x, err := d.New("x", op.F32, 64, 64)
		if err != nil {
			return err
		}
		made = append(made, x)
		spec := table("w", newPieces(counting(0, 64, 64)), 0, 64, 64)
		spec.Use = op.UseVector // what Add can read
		w, err := d.Upload(ctx, spec)
		if err != nil {
			return err
		}
		made = append(made, w)
		l := op.NewList("work")
		l.Add(x, l.Add(w, w, nil), x)
		p, err := d.Compile(ctx, l)
		if err != nil {
			return err
		}
		defer p.Close()
		if err := p.Run(ctx); err != nil {
			return err
		}
		got, err := d.Read(ctx, x)
		if err == nil && got[77] != 2*77 {
			t.Errorf("element 77 is %g, want %d", got[77], 2*77)
		}
		return err
	}
	if err := work(soon(t)); err != nil { // makes what uploads pass through, which stays
		t.Fatal(err)
	}
	count, bytes := d.Buffers()
	at, met := starve(d)
	n := 0
	for ; n < 100; n++ {
		at(n)
		err := work(soon(t))
		if !met() {
			if err != nil {
				t.Errorf("with memory for all of %d buffers: %v", n, err)
			}
			break
		}
		if !fault.Is(err, fault.OutOfMemory) || !strings.Contains(err.Error(), "bytes") {
			t.Errorf("without memory for buffer %d: %v, want the fault %s naming the bytes", n, err, fault.OutOfMemory)
		}
		at(-1)
		if err := work(soon(t)); err != nil {
			t.Errorf("after buffer %d, with memory: %v", n, err)
		}
		if c, b := d.Buffers(); c != count || b != bytes {
			t.Errorf("after buffer %d there are %d of %d bytes, there were %d of %d", n, c, b, count, bytes)
		}
	}
	if n < 5 {
		t.Errorf("the work asked for %d buffers", n)
	}
	if err := d.Sync(soon(t)); err != nil || errors() != 0 {
		t.Errorf("afterwards: %v, %d errors that no scope caught", err, errors())
	}
	if d.memory.next > uint32(count+n+8) {
		t.Errorf("%d ids were given out for %d buffers at a time", d.memory.next, count)
	}
}

// TestWithoutMemory: a small tensor's maker does not wait to learn that there is no
// memory for it. Everything that names it says so then, as often as it is tried, and
// everything else goes on.
func TestWithoutMemory(t *testing.T) {
	d := open(t, Options{})
	errors := uncaptured(d)
	a := newAdder(t, d)
	at, _ := starve(d)
	at(0)
	none, err := d.New("none", op.F32, 64, 64)
	if err != nil {
		t.Fatalf("New waited for the answer: %v", err)
	}
	l := op.NewList("list")
	l.Add(none, a.y, a.x)
	for name, try := range map[string]func() error{
		"Write":       func() error { return d.Write(none, make([]float32, 64*64)) },
		"Read":        func() error { _, err := d.Read(soon(t), none); return err },
		"Compile":     func() error { _, err := d.Compile(soon(t), l); return err },
		"a copy from": func() error { return a.p.Run(soon(t), op.Copy{Dst: a.x, Src: none}) },
		"a copy to":   func() error { return a.p.Run(soon(t), op.Copy{Dst: none, Src: a.x}) },
	} {
		for range 2 {
			if err := try(); !fault.Is(err, fault.OutOfMemory) || !strings.Contains(err.Error(), "none (16384 bytes)") {
				t.Errorf("%s: %v, want the fault %s naming the tensor", name, err, fault.OutOfMemory)
			}
		}
	}
	d.Free(none)
	if err := a.p.Run(soon(t)); err != nil {
		t.Error(err)
	}
	if err := d.Sync(soon(t)); err != nil || errors() != 0 {
		t.Errorf("afterwards: %v, %d errors that no scope caught", err, errors())
	}
}

// TestGentle: a gentle device submits less at once, and computes the same.
func TestGentle(t *testing.T) {
	plain, gentle := open(t, Options{}), open(t, Options{Gentle: 2})
	if gentle.submit != plain.submit/4 || gentle.Info().Plan != plain.Info().Plan {
		t.Errorf("%g of work and the plan %s, the gentle device %g and %s", plain.submit, plain.Info().Plan, gentle.submit, gentle.Info().Plan)
	}
}
