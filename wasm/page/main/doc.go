//go:build js

// Command main is page.wasm, the page in the browser's window. web/page.js starts it.
package main
