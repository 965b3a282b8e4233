package importer

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

func TestNoticesText(t *testing.T) {
	words.Use(words.Languages[0])
	if got := NoticesText(nil); got != "" {
		t.Errorf("nothing to say, and it says %q", got)
	}
	got := NoticesText([]recipe.Notice{{Field: recipe.FieldSteps, Given: "999", Used: "50"}, {Field: recipe.FieldGuidance, Given: "x"}})
	if got != "Steps: 999 is not possible here; 50 is used instead. Guidance: “x” cannot be used and was ignored." {
		t.Errorf("it says %q", got)
	}
	if got := NoticesText(make([]recipe.Notice, 50)); !strings.HasSuffix(got, " …") || len(got) > 400 {
		t.Errorf("50 notices are %q", got)
	}
	for _, f := range append(slices.Clone(recipe.Keys), recipe.FieldDirection, recipe.FieldWeight, recipe.FieldSchedule, recipe.FieldLink, recipe.FieldEdit, recipe.FieldReference) {
		if got := NoticesText([]recipe.Notice{{Field: f, Given: "x"}}); strings.HasPrefix(got, ":") || strings.HasPrefix(got, string(f)+":") {
			t.Errorf("%s has no name: %q", f, got)
		}
	}
}

func TestLinkIn(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.org/u/#prompt=a+frog&seed=1": "#prompt=a+frog&seed=1",
		" http://localhost:8080/index.html#seed=4\n":  "#seed=4",
		"#prompt=x":                            "#prompt=x",
		"https://example.org/#top":             "",
		"https://example.org/":                 "",
		"a frog #prompt=x":                     "",
		"see https://a.example/#seed=1 please": "",
		"javascript:alert(1)#prompt=x":         "",
		"":                                     "",
	} {
		if got, ok := linkIn(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}
