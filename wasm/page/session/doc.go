// Package session carries what people have before them over a reload: what the form says
// and the last picture. A browser that has taken the GPU away for good gives it back only
// to a page that was loaded anew.
package session
