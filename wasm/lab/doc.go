//go:build js

// Command lab is lab.wasm, the program of web/lab.html: it lists the experiments of package
// lab, runs the one that is chosen through the JavaScript API, in the background, and shows
// what comes of it. Results are kept on the device, so that a run goes on after the page was
// closed.
package main
