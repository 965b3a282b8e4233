// Package share is the dialog that gives a picture to other pages: the element as it will
// be there, the lines to copy, and the poster.
package share
