package main

import (
	"syscall/js"

	"undertone/wasm/page"
	"undertone/wasm/page/embed"
	"undertone/wasm/page/ui"
)

func main() {
	class := js.Global().Get("undertone").Get("Undertone")
	if ui.Root().Call("hasAttribute", "data-embed").Bool() { // web/embed.html
		embed.Run(class)
	}
	page.Run(class)
}
