// Package input reads files named on the command line, which may be anything: a pipe
// to which nobody writes, or a device that never ends.
package input
