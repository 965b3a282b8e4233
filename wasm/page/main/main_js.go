package main

import (
	"syscall/js"

	"undertone/wasm/page"
)

func main() { page.Run(js.Global().Get("undertone").Get("Undertone")) }
