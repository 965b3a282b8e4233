package host

import "syscall/js"

// Get returns what a property of the window's or worker's global object has at the
// end of a path of names ("navigator", "locks"). It is undefined where there is none,
// and where the browser throws at the mere name, as some do in a sandboxed frame or
// with cookies blocked: an exception in js.Value.Get would end the program. Quirk: getter-throws.
func Get(path ...string) (v js.Value) {
	defer func() {
		if recover() != nil { // an exception in Call is a panic
			v = js.Undefined()
		}
	}()
	v = js.Global()
	reflect := v.Get("Reflect")
	for _, name := range path {
		v = reflect.Call("get", v, name)
	}
	return v
}
