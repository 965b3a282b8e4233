// Package vae holds the decoders that turn a latent into a picture, and the encoders that
// turn a picture into a latent.
package vae
