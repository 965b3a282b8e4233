package stage

import (
	"fmt"
	"strings"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// paperText is what a printed picture needs beside its times: the prompt, and a line for
// every direction.
func paperText(r app.Recipe) string {
	lines := []string{"“" + r.Prompt + "”"}
	for _, t := range r.Acting() {
		var parts []string
		for _, part := range []struct{ name, value string }{
			{words.Text.Towards, t.Positive}, {words.Text.Away, t.Negative}, {words.Text.Weight, words.Signed(t.Weight)},
		} {
			if part.value != "" {
				parts = append(parts, fmt.Sprintf("%s: %s", part.name, part.value))
			}
		}
		lines = append(lines, strings.Join(parts, " · "))
	}
	return strings.Join(lines, "\n")
}
