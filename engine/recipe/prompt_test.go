package recipe

import (
	"strings"
	"testing"

	"undertone/engine/fault"
)

func TestCheckPrompt(t *testing.T) {
	for _, c := range []struct {
		prompt string
		code   fault.Code
	}{
		{"", ""},
		{"a frog\tin\r\na meadow 😀", ""},
		{strings.Repeat("x", MaxPrompt), ""},
		{strings.Repeat("x", MaxPrompt+1), fault.PromptTooLong},
		{strings.Repeat("x", 1<<20), fault.PromptTooLong},
		{"\xff\xfe frog", fault.PromptNotText},
		{"frog\x00", fault.PromptNotText},
		{"frog\x1b[31m", fault.PromptNotText},
		{"del\x7f", fault.PromptNotText},
		{"the second set of controls \u009b31m", fault.PromptNotText},
		{"next line\u0085, which is white space", ""},
	} {
		err := CheckPrompt(c.prompt)
		if (err == nil) != (c.code == "") || err != nil && !fault.Is(err, c.code) {
			t.Errorf("%.20q (%d bytes): %v, want %q", c.prompt, len(c.prompt), err, c.code)
		}
	}
}
