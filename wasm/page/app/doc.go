// Package app holds what all parts of the page share: the one state, its changes, and
// the queue of pictures that are made through the public JavaScript API. Go in the
// browser runs on one thread and is never interrupted, so the state needs no lock as
// long as nobody waits between reading and writing it.
//
// What people do changes the state through App.Update. At the next frame reactions
// act on what has changed (ask for a picture, take over a link), and then every view
// brings its elements in line with the state. Views change nothing but elements. Each
// feature owns the rest of its state; app knows none of them.
package app
