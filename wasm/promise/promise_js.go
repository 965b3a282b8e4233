package promise

import (
	"context"
	"syscall/js"
)

// outcome is what became of a promise. A rejection is a js.Error.
type outcome struct {
	value js.Value
	err   error
}

// Await blocks the calling goroutine until p settles or ctx ends. A rejection
// comes back as a js.Error, the end of ctx as ctx.Err(). It must not be called
// inside a js.FuncOf callback, which would wait for itself.
func Await(ctx context.Context, p js.Value) (js.Value, error) {
	select {
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	case o := <-settled(p):
		return o.value, o.err
	}
}

// Of is Await for what is not given up, or settles by itself when it is.
func Of(p js.Value) (js.Value, error) {
	o := <-settled(p)
	return o.value, o.err
}

func settled(p js.Value) <-chan outcome {
	// Buffered, so that a promise that settles after ctx has ended blocks nobody.
	settled := make(chan outcome, 1)
	var resolve, reject js.Func
	release := func() {
		resolve.Release()
		reject.Release()
	}
	first := func(args []js.Value) js.Value {
		if len(args) == 0 {
			return js.Undefined()
		}
		return args[0]
	}
	resolve = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: first(args)}
		release()
		return nil
	})
	reject = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: js.Error{Value: first(args)}}
		release()
		return nil
	})
	p.Call("then", resolve, reject)
	return settled
}
