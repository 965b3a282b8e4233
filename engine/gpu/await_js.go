package gpu

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
	"time"

	"undertone/engine/fault"
)

// settled is what a promise came to.
type settled struct {
	value js.Value
	err   error // a js.Error when it was rejected
	at    time.Time
}

// promise returns a channel that delivers what p comes to. The callbacks release
// themselves when p settles, also if nobody listens any more.
func promise(p js.Value) <-chan settled {
	done := make(chan settled, 1)
	var then, catch js.Func
	settle := func(s settled) {
		s.at = time.Now()
		done <- s
		then.Release()
		catch.Release()
	}
	then = js.FuncOf(func(_ js.Value, args []js.Value) any {
		v := js.Undefined()
		if len(args) > 0 {
			v = args[0]
		}
		settle(settled{value: v})
		return nil
	})
	catch = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settle(settled{err: js.Error{Value: args[0]}})
		return nil
	})
	p.Call("then", then, catch)
	return done
}

// await waits for a promise, but not longer than the device lives or ctx lasts:
// a lost device may leave promises open for ever.
func (d *Device) await(ctx context.Context, p js.Value) (js.Value, error) {
	done := promise(p)
	select {
	case s := <-done:
		if s.err != nil {
			return js.Undefined(), d.explain(s.err)
		}
		return s.value, nil
	case <-d.lost:
		return js.Undefined(), d.lostError()
	case <-ctx.Done():
		return js.Undefined(), aborted(ctx)
	}
}

// aborted is the fault of a cancelled context.
func aborted(ctx context.Context) error {
	return fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped")
}

// guard turns what the browser throws inside a method of Device into a fault.
// Use: defer d.guard(&err). Any other panic is a bug and goes on.
func (d *Device) guard(err *error) {
	switch r := recover().(type) {
	case nil:
	case js.Error:
		*err = d.explain(r)
	default:
		panic(r)
	}
}

// newsOfLoss is how long after a failed call the loss that caused it may be told.
const newsOfLoss = 50 * time.Millisecond

// explain finds the fault behind something the browser threw or rejected with.
// What a lost device throws is not of interest: the loss is.
func (d *Device) explain(err error) error {
	select {
	case <-d.lost:
		return d.lostError()
	case <-time.After(newsOfLoss):
	}
	var thrown js.Error
	if errors.As(err, &thrown) && thrown.Value.Type() == js.TypeObject {
		if code, message := classify(thrown.Value); code != fault.Internal {
			return fault.New(code, "%s", message)
		}
	}
	return fault.Wrap(err, fault.Internal, "the browser refused a GPU call")
}

// classify tells the kind of a GPUError or of an exception by its class name.
func classify(v js.Value) (fault.Code, string) {
	name, message := v.Get("constructor").Get("name").String(), jsString(v.Get("message"))
	switch name {
	case "GPUOutOfMemoryError", "RangeError":
		return fault.OutOfMemory, message
	case "GPUValidationError", "GPUInternalError", "TypeError", "DOMException", "OperationError", "GPUPipelineError":
		return fault.GPUValidation, message
	}
	return fault.Internal, fmt.Sprintf("%s: %s", name, message)
}

// jsString is the text of a JavaScript string, or "" if v is none.
func jsString(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}
