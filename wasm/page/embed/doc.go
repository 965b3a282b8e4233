// Package embed arranges the parts of the page for a frame in somebody else's page
// (web/embed.html): the picture, the presets and a slider for every direction, the divider
// that compares, another picture, and a link to the full page.
//
// What is shown is written in the hash of the frame's address, as in links of the page with
// a few keys more, and the host page may send other such text later (web/frame.js). It says
// what is drawn, and nothing that costs: nothing is downloaded and no GPU is used before
// somebody presses Start in the frame, unless the weights are on this device already.
// Several frames of one site take turns in having an engine.
package embed
