// Package demo finds the tags <undertone-demo> of a document.
package demo
