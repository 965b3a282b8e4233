// Package shrink makes small pictures of large ones.
package shrink
