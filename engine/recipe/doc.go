// Package recipe carries the parameters of a picture from one person to another:
// in the hash of a link, which people can read and change, and in a text chunk of
// a PNG file. What is read back is untrusted: a number out of range is clamped,
// anything else that cannot be used is left out, and a notice reports each change.
package recipe
