package main

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"
	"time"

	"undertone/engine/gpu"
	"undertone/engine/op"
)

// bench is the state between two calls.
type bench struct {
	device *gpu.Device // for single kernels
	held   *held       // on it
	files  files       // of the model
	models map[string]*model
}

func main() {
	gpu.OfferMatrices()
	b := &bench{models: map[string]*model{}}
	api := js.Global().Get("Object").New()
	for name, f := range map[string]func(context.Context, js.Value) (any, error){
		"open": b.open, "kernel": b.kernel, "hold": b.hold, "runs": b.runs, "files": b.setFiles, "load": b.load, "picture": b.picture,
		"live": b.live, "profile": b.profile, "tune": b.tune, "compare": b.compare, "close": b.close,
	} {
		api.Set(name, promised(f))
	}
	js.Global().Set("undertoneBench", api)
	if ready := js.Global().Get("undertoneBenchReady"); ready.Truthy() {
		ready.Invoke()
	}
	select {}
}

// promised makes a function that runs f on a goroutine of its own and returns a promise.
func promised(f func(context.Context, js.Value) (any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		arg := js.Undefined()
		if len(args) > 0 {
			arg = args[0]
		}
		var start js.Func
		start = js.FuncOf(func(_ js.Value, settle []js.Value) any {
			start.Release()
			go func() {
				out, err := caught(f, arg)
				if err != nil {
					settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
					return
				}
				settle[0].Invoke(js.Global().Get("JSON").Call("parse", string(out)))
			}()
			return nil
		})
		return js.Global().Get("Promise").New(start)
	})
}

// caught makes errors of exceptions, so that one row that fails is one row.
func caught(f func(context.Context, js.Value) (any, error), arg js.Value) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	v, err := f(context.Background(), arg)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// decode reads a plain object.
func decode(arg js.Value, into any) error {
	return json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", arg).String()), into)
}

// unlimited is more arithmetic than any submit has.
const unlimited = 1e15

// machine is what is asked of a device: {hardware, portable, submit, matrices}. With matrices there
// are also the variants that round to 16 bits, of which most of theirs are.
type machine struct {
	Hardware, Portable, Matrices bool
	Submit                       float64
}

func (o machine) open(ctx context.Context) (*gpu.Device, error) {
	d, err := gpu.Open(ctx, gpu.Options{Hardware: o.Hardware, Portable: o.Portable, Matrices: o.Matrices, Submit: o.Submit})
	if err == nil && o.Matrices {
		d.Round(16)
	}
	return d, err
}

// open opens the device for kernels. What is measured there has the GPU to itself, so nothing
// is gained by waiting between submits.
func (b *bench) open(ctx context.Context, arg js.Value) (any, error) {
	o := machine{}
	if err := decode(arg, &o); err != nil {
		return nil, err
	}
	b.closeDevice()
	o.Submit = unlimited
	d, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	b.device = d
	variants := map[string][]string{}
	for _, k := range op.Kinds() {
		variants[k.String()] = d.Variants(k)
	}
	return map[string]any{"info": d.Info(), "caps": d.Caps(), "variants": variants}, nil
}

func (b *bench) closeDevice() {
	if b.device != nil {
		b.release()
		b.device.Close()
		b.device = nil
	}
}

// close gives back everything but the model's files.
func (b *bench) close(context.Context, js.Value) (any, error) {
	b.closeDevice()
	for name, m := range b.models {
		m.engine.Close()
		delete(b.models, name)
	}
	return nil, nil
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
