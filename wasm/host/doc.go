// Package host asks the browser for what it may refuse.
package host
