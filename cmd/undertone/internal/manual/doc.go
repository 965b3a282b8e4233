// Package manual renders the documents of docs/ as pages of a site.
package manual
