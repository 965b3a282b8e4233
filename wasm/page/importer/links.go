package importer

import (
	"cmp"
	"fmt"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// NoticesText says which values of a link or a file were not taken as they were.
func NoticesText(list []recipe.Notice) string {
	names := map[recipe.Field]string{
		recipe.FieldPrompt: words.Text.FieldPrompt, recipe.FieldSeed: words.Text.Seed, recipe.FieldSteps: words.Text.Steps, recipe.FieldSize: words.Text.Size, recipe.FieldCFG: "CFG",
		recipe.FieldGuidance: words.Text.Guidance, recipe.FieldDirection: words.Text.FieldDirection, recipe.FieldWeight: words.Text.Weight, recipe.FieldSchedule: words.Text.Schedule,
		recipe.FieldRows: words.Text.FieldRows, recipe.FieldAblate: words.Text.FieldAblate, recipe.FieldLink: words.Text.FieldLink,
		recipe.FieldEdit: words.Text.Reference, recipe.FieldReference: words.Text.Reference,
	}
	const most = 4 // more than that nobody reads
	name := func(f recipe.Field) string { return cmp.Or(names[f], string(f)) }
	var parts []string
	for i, n := range list {
		if i == most {
			parts = append(parts, "…")
			break
		}
		if n.Used == "" {
			parts = append(parts, fmt.Sprintf(words.Text.NoticeLeft, name(n.Field), n.Given))
		} else {
			parts = append(parts, fmt.Sprintf(words.Text.NoticeClamped, name(n.Field), n.Given, n.Used))
		}
	}
	return strings.Join(parts, " ")
}

// linkIn finds the hash of a link of ours in pasted or dropped text: the text is
// one address, of whatever site, and nothing is ever fetched from it.
func linkIn(text string) (hash string, ok bool) {
	text = strings.TrimSpace(text)
	address, hash, found := strings.Cut(text, "#")
	if !found || strings.ContainsAny(text, " \n\t") || address != "" && !strings.Contains(address, "://") {
		return "", false
	}
	for _, key := range recipe.Keys {
		if strings.HasPrefix(hash, string(key)+"=") {
			return "#" + hash, true
		}
	}
	return "", false
}
