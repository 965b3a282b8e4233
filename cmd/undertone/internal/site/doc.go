// Package site builds the static site and serves it.
//
// At the root of a site lie files with stable names: what people link to, embed
// or import. Everything else lies in assets/ and beside the model under names
// that contain their content's hash, so that a host may cache them for ever and
// versions are never mixed.
package site
