// Package gallery keeps pictures in this browser: their PNG files, with what made them,
// in an IndexedDB database of the page's own.
package gallery
