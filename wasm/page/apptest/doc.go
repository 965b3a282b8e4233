// Package apptest has what tests of the page share: a model to offer.
package apptest
