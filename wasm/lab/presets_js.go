package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// kept is a preset of one's own on this device, with what speaks for it.
type kept struct {
	recipe.Preset
	Evidence string `json:"evidence"`
}

// presetsKey is where the page looks for those of a model (wasm/page/app).
func (l *laboratory) presetsKey() string { return "presets." + l.about.Model }

func (l *laboratory) presets() (list []kept) {
	_ = json.Unmarshal([]byte(ui.Recall(l.presetsKey())), &list) // of another version: there are none
	return list
}

// keepPresets tells whether the browser keeps them.
func (l *laboratory) keepPresets(list []kept) bool {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // presets are plain data
	}
	ui.Remember(l.presetsKey(), string(text))
	return ui.Recall(l.presetsKey()) == string(text)
}

// propose offers to save the preset that the results come to.
func (v *view) propose(p *recipe.Preset, evidence string) {
	box := v.answer.proposal
	ui.Show(box, p != nil && v.results.Whole)
	box.Call("replaceChildren")
	if p == nil || !v.results.Whole {
		return
	}
	name := ui.El("input", ui.Attrs{{"maxlength", "40"}, {"id", "preset-name"}, {"aria-label", words.Text.PresetName}})
	name.Set("value", p.Positive)
	button := ui.Button("primary", words.Text.SavePreset, func() {
		own := kept{*p, evidence}
		own.Title = strings.TrimSpace(name.Get("value").String())
		if own.Title == "" {
			own.Title = p.Positive
		}
		own.ID = "own-" + strings.ToLower(strings.Join(strings.Fields(own.Title), "-"))
		list := slices.DeleteFunc(v.l.presets(), func(had kept) bool { return had.ID == own.ID })
		said := fmt.Sprintf(words.Text.PresetSaved, own.Title)
		if !v.l.keepPresets(append(list, own)) {
			said = words.Text.PresetKept
		}
		v.own.Call("replaceChildren", v.l.mine().Value)
		ui.SetText(v.said, said)
		ui.SetText(ui.ByID("live"), said)
	})
	button.SetID("save-preset")
	ui.Append(box, name, button)
}

// mine lists the presets that are kept, each with a button that removes it.
func (l *laboratory) mine() ui.Element {
	box, list := ui.El("div", nil), ui.El("ul", nil)
	for _, p := range l.presets() {
		row := ui.El("li", nil, ui.El("strong", nil, p.Title), ui.El("p", ui.Attrs{{"class", "muted"}}, words.Say(p.Evidence)))
		ui.Append(row, ui.Button("quiet", fmt.Sprintf(words.Text.Remove, p.Title), func() {
			l.keepPresets(slices.DeleteFunc(l.presets(), func(had kept) bool { return had.ID == p.ID }))
			box.Call("replaceWith", l.mine().Value)
		}))
		ui.Append(list, row)
	}
	if list.Get("childElementCount").Int() > 0 {
		ui.Append(box, ui.El("h3", nil, words.Text.MyPresets), list)
	}
	return box
}
