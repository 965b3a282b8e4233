package app

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

func TestNoticeText(t *testing.T) {
	defer words.Use(words.Languages[0])
	words.Use(words.Languages[1])
	for notice, want := range map[string]string{
		recipe.NoticeUnknown + "wombat, zeppelin":    "模型不认识这些词：wombat, zeppelin。",
		recipe.NoticeTooLong + `77 tokens: "a cat"…`: `提示词太长：模型最多读取 77 个词元，"a cat"… 的末尾没有读入。`,
		"something else": "something else",
	} {
		if got := noticeText(notice); got != want {
			t.Errorf("%q is told as %q, wanted %q", notice, got, want)
		}
	}
}
