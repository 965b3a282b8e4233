// Package stage is where pictures are shown: one view at a time, chosen by tabs. It
// holds the picture with what can be done with it, the comparison with the same picture
// without guidance, the contact sheet and the steps; other features add views of theirs.
package stage
