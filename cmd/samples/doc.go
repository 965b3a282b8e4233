// Command samples draws the strip of pictures that the page shows before a model
// is loaded, so that people see what they would download and what guidance is, and
// the picture that other programs show beside a link to the page. All are made by the model itself, with its own defaults; `make samples` runs it.
//
//	samples MODEL_DIR STRIP.jpg PREVIEW.jpg
package main
