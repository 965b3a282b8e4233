package recipe

import (
	"unicode"
	"unicode/utf8"

	"undertone/engine/fault"
)

// MaxPrompt is the longest prompt in bytes. No model reads more; the limit keeps
// a pasted book from stalling the page.
const MaxPrompt = 4096

// CheckPrompt refuses what is not a prompt: over MaxPrompt bytes
// (fault.PromptTooLong), invalid UTF-8, or control characters other than white
// space (fault.PromptNotText). The empty prompt is valid: it is the unconditional one.
func CheckPrompt(prompt string) error {
	if len(prompt) > MaxPrompt {
		return fault.New(fault.PromptTooLong, "the prompt has %d bytes, the limit is %d", len(prompt), MaxPrompt)
	}
	if !utf8.ValidString(prompt) {
		return fault.New(fault.PromptNotText, "the prompt is not valid UTF-8")
	}
	for i, r := range prompt {
		if unicode.IsControl(r) && !unicode.IsSpace(r) {
			return fault.New(fault.PromptNotText, "the prompt has the control character %U at byte %d", r, i)
		}
	}
	return nil
}
