// Package promise waits for JavaScript promises from Go.
package promise
