// Command samples draws the strip of pictures that the page shows before a model
// is loaded, so that people see what they would download and what guidance is. All
// are made by the model itself, with its own defaults; `make samples` runs it.
//
//	samples MODEL_DIR OUT.jpg
package main
