// Package opener opens published files as a model: they are chosen, dropped or named by
// their addresses, in several goes, and nothing of them is loaded before the dialog has
// said what they are, what they take, and what is missing, and somebody has agreed.
package opener
