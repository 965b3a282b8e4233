// Package page is the page of Undertone: an arrangement of features over one state (app).
// The folders beneath it are its parts. words holds the texts and ui the helpers over the
// DOM; app holds the state and the queue of pictures; every other folder is a feature and
// knows these three alone. What one feature needs of another is handed to it here.
package page
