// Package transfer holds what a download knows of HTTP and of bad connections: when
// and how often to try again, and what an answer's headers and first bytes mean.
package transfer
