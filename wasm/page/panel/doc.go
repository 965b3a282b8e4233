// Package panel holds the controls: the prompt, the directions of guidance with their
// schedules, and the settings that stay from picture to picture.
package panel
