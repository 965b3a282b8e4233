// Package vae holds the decoders that turn a latent into a picture.
package vae
