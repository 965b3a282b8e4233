// Package fault lists every error that a user can see, each with advice on what to
// do about it. Code elsewhere makes an error with New, which names the value
// and the limit in its sentence; the advice comes from the list.
package fault
