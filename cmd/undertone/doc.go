// Command undertone is the native tool: it converts and inspects models, makes
// pictures on the CPU, and builds and serves the site.
package main
