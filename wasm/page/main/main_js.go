// Command main is page.wasm, the page in the browser's window. web/page.js starts it.
package main

import (
	"syscall/js"

	"undertone/wasm/page"
)

func main() { page.Run(js.Global().Get("undertone").Get("Undertone")) }
