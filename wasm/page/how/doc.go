// Package how shows how a picture came about: the words that were read, the vector that
// guidance turns, the latent at every step, the attention of every block, and where the
// time went. It asks the engine to make the picture once more and to look on.
package how
