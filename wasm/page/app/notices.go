package app

import (
	"fmt"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// noticeText is a notice of the engine in the page's language.
func noticeText(notice string) string {
	if unknown, ok := strings.CutPrefix(notice, recipe.NoticeUnknown); ok {
		return fmt.Sprintf(words.Text.NoticeUnknown, unknown)
	}
	if long, ok := strings.CutPrefix(notice, recipe.NoticeTooLong); ok {
		tokens, prompt, _ := strings.Cut(long, " tokens: ")
		return fmt.Sprintf(words.Text.NoticeTooLong, tokens, prompt)
	}
	if strings.HasPrefix(notice, recipe.NoticeCropped) {
		return words.Text.ReferenceCut
	}
	return notice
}
