// Package ui makes and changes elements of the page: a few helpers over the DOM, and the
// small parts that several features share (canvas, thumbnails, segments). It knows
// nothing of pictures or models.
package ui
