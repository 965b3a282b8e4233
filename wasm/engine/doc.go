//go:build js

// Command engine is engine.wasm, the engine in a dedicated worker of the browser, which
// web/worker.js starts. It receives the messages of package protocol, downloads and
// verifies the model, opens the device, and makes pictures.
package main
