// Package protocol is what the window and the engine's worker say to each other:
// one versioned set of messages. web/protocol.js is the same for JavaScript, and
// a test holds the two equal.
//
// A message is an object { v, type, id, body, pixels }: v is Version, id the
// number of the request it belongs to, body the JSON text of one of the types
// below, and pixels, where there is a picture, a transferred ArrayBuffer of
// 8-bit RGBA. JSON text crosses the border between Go and JavaScript in one
// piece, which is faster than walking objects, and pixels are never copied.
package protocol
