// Package shell is what stands around the pictures: loading a model, the device, alerts
// and announcements, the language, working without a network and new versions, what is
// stored here, and the text for a bug report.
package shell
