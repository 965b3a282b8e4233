// Command wasm is the one WebAssembly program of Undertone. It is compiled once
// and instantiated twice: in the window it is the page, in a dedicated worker it
// is the engine. web/page.js and web/worker.js say which.
package main

import (
	"syscall/js"

	"undertone/wasm/page"
	"undertone/wasm/worker"
)

func main() {
	host := js.Global().Get("undertone")
	if host.Get("role").String() == "worker" {
		worker.Run()
		return
	}
	page.Run(host.Get("Undertone"))
}
