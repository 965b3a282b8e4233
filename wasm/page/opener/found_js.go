package opener

import (
	"fmt"
	"strings"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// foundView says what the chosen files are, what they take and what is missing.
type foundView struct {
	box                  ui.Element
	table, head, body    ui.Element
	missing, lacks       ui.Element
	lacksTitle, lacksFor ui.Element
	fits, memory, cpu    ui.Element
	licence              ui.Element
	unused, named, count ui.Element
	drawn                string // what it shows
}

func newFoundView() *foundView {
	v := &foundView{
		head: ui.El("tr", nil), body: ui.El("tbody", nil),
		lacks:      ui.El("ul", nil),
		lacksTitle: ui.El("h3", ui.Attrs{{"id", "opener-missing-title"}}), lacksFor: ui.El("p", ui.Attrs{{"class", "muted"}}),
		fits:    ui.El("p", ui.Attrs{{"id", "opener-fits"}}),
		memory:  ui.El("p", ui.Attrs{{"class", "muted"}}),
		cpu:     ui.El("p", nil),
		licence: ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "opener-licence"}}),
		named:   ui.El("p", ui.Attrs{{"class", "muted code"}, {"translate", "no"}}),
		count:   ui.El("summary", nil),
	}
	for _, name := range columns {
		ui.Append(v.head, ui.El("th", ui.Attrs{{"scope", "col"}}, name))
	}
	v.table = ui.El("table", nil, ui.El("thead", nil, v.head), v.body)
	v.missing = ui.El("section", ui.Attrs{{"class", "missing"}, {"id", "opener-missing"}, {"aria-labelledby", "opener-missing-title"}},
		v.lacksTitle, v.lacksFor, v.lacks)
	v.unused = ui.El("details", nil, v.count, v.named)
	v.box = ui.El("div", ui.Attrs{{"class", "found"}, {"hidden", ""}}, v.missing, v.table, v.fits, v.memory, v.cpu, v.licence, v.unused)
	return v
}

// columns of the table of parts.
var columns = []*string{&words.Text.ColPart, &words.Text.ColType, &words.Text.ColDisk, &words.Text.ColDevice, &words.Text.ColPeak, &words.Text.ColLargest}

// render draws it, anew only when it says something else.
func (v *foundView) render(r *result, s *app.State) {
	ui.Show(v.box, r != nil)
	if r == nil {
		v.drawn = ""
		return
	}
	now := fmt.Sprintf("%p %s %v %v", r, words.Text.ColPart, s.Device.WebGPU, s.Device.CPUSpeed)
	if now == v.drawn {
		return
	}
	v.drawn = now
	v.renderParts(r)
	v.renderMissing(r)
	v.renderFits(r, s)
	hint := licence(r.Variant)
	ui.SetText(v.licence, fmt.Sprintf(words.Text.OpenLicence, hint))
	ui.Show(v.licence, hint != "")
	var names []string
	for _, u := range r.Unused {
		names = append(names, u.File)
	}
	ui.SetText(v.count, fmt.Sprintf(words.Text.OpenUnused, len(names)))
	ui.SetText(v.named, strings.Join(names, "\n"))
	ui.Show(v.unused, len(names) > 0)
}

// renderParts fills the table. On a narrow screen every cell has its column's name.
func (v *foundView) renderParts(r *result) {
	v.body.Call("replaceChildren")
	row := func(class, title, files string, cells ...string) {
		th := ui.El("th", ui.Attrs{{"scope", "row"}}, title)
		if files != "" {
			ui.Append(th, ui.El("small", ui.Attrs{{"translate", "no"}}, files))
		}
		tr := ui.El("tr", ui.Attrs{{"class", class}}, th)
		for i, text := range cells {
			ui.Append(tr, ui.El("td", ui.Attrs{{"data-column", *columns[i+1]}}, text))
		}
		ui.Append(v.body, tr)
	}
	for _, p := range r.Parts {
		name := partName(p.Role, p.Name)
		if p.Role == "transformer" || p.Role == "decoder" {
			name += " · " + p.Title
		}
		files := p.Files[0]
		if n := len(p.Files); n > 1 {
			files = fmt.Sprintf(words.Text.OpenMany, files, n)
		}
		row("part", name, files, p.Type, size(p.DiskBytes), size(p.DeviceBytes), size(p.PeakBytes), size(p.LargestBytes))
	}
	if len(r.Parts) > 1 {
		t := totals(r.Parts)
		row("sum", words.Text.ColSum, "", "", size(t.DiskBytes), size(t.DeviceBytes), size(t.PeakBytes), size(t.LargestBytes))
	}
	ui.Show(v.table, len(r.Parts) > 0)
}

func (v *foundView) renderMissing(r *result) {
	v.lacks.Call("replaceChildren")
	for _, m := range r.Missing {
		name := partName(m.Role, m.Name)
		if !m.Required {
			name = fmt.Sprintf(words.Text.OpenOptional, name)
		}
		ui.Append(v.lacks, ui.El("li", nil, ui.El("span", ui.Attrs{{"class", "strong"}}, name), ui.El("span", ui.Attrs{{"class", "muted"}}, usually(m))))
	}
	ui.Show(v.missing, len(r.Missing) > 0)
	title, hint := words.Text.OpenMissing, words.Text.OpenMissingHint
	if complete(r.Published) {
		title, hint = words.Text.OpenMore, words.Text.OpenMoreHint
	}
	ui.SetText(v.lacksTitle, title)
	ui.SetText(v.lacksFor, hint)
	ui.SetFlag(v.missing, "data-optional", complete(r.Published))
}

// renderFits says what the first picture takes, and whether this device has it.
func (v *foundView) renderFits(r *result, s *app.State) {
	ui.Show(v.fits, r.model != nil && r.Fits != nil)
	ui.Show(v.memory, r.model != nil)
	slow := r.model != nil && s.Device.Known && !s.Device.WebGPU && s.Device.CPUSpeed > 0
	ui.Show(v.cpu, slow)
	if r.model == nil {
		return
	}
	if r.Fits != nil {
		text, ok := limits(r.model, r.Fits)
		ui.SetText(v.fits, text)
		ui.SetAttr(v.fits, "class", ui.Either(ok, "fits", "fits not"))
	}
	ui.SetText(v.memory, memory(r.model, r.Published))
	if slow {
		ui.SetText(v.cpu, fmt.Sprintf(words.Text.OpenCPU, words.Duration(s.Device.Seconds(r.model))))
	}
}

// fault says why files cannot be opened.
type fault struct{ box, alert, what, advice, detail ui.Element }

func newFault() fault {
	v := fault{what: ui.El("p", ui.Attrs{{"class", "strong"}}), advice: ui.El("p", nil), detail: ui.El("p", ui.Attrs{{"class", "muted code"}, {"translate", "no"}})}
	v.alert = ui.El("div", ui.Attrs{{"class", "alert"}, {"hidden", ""}}, ui.El("div", nil, v.what, v.advice,
		ui.El("details", nil, ui.El("summary", nil, &words.Text.FaultDetails), v.detail)))
	// The region is there from the start: what appears inside it is read aloud.
	v.box = ui.El("div", ui.Attrs{{"role", "alert"}, {"id", "opener-fault"}}, v.alert)
	return v
}

func (v fault) render(p *app.Problem) {
	ui.Show(v.alert, p != nil)
	if p == nil {
		return
	}
	what, advice, detail := p.Texts()
	ui.SetText(v.what, words.Sentence(what))
	ui.SetText(v.advice, advice)
	ui.SetText(v.detail, detail)
}
