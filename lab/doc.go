// Package lab asks a model what its pooled text vector and modulation guidance do: each
// experiment is a row of a table, a list of pictures to compare with a measure of how far
// they are apart. Runs can be interrupted and go on; means come with bootstrap intervals.
package lab
