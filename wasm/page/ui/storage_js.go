package ui

import "syscall/js"

// Storage is one of the window's storages. A sandboxed frame, or a browser that blocks
// them, throws at the mere name: an exception in Get would end the program, one in Call
// is a panic that can be recovered from.
func Storage(name string) js.Value { return js.Global().Get("Reflect").Call("get", js.Global(), name) }

// Recall reads what Remember wrote; it is empty where the browser keeps nothing.
func Recall(key string) (value string) {
	defer func() { recover() }()
	if v := Storage("localStorage").Call("getItem", "undertone."+key); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// Remember keeps a small choice beyond the tab, where the browser allows it.
func Remember(key, value string) {
	defer func() { recover() }() // refused: it is asked for again next time
	Storage("localStorage").Call("setItem", "undertone."+key, value)
}
