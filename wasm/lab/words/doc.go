// Package words holds what the Lab says, in every language that it has: its own texts, and
// those of the experiments (package lab), which are written in English there.
package words
