package shell

import (
	"fmt"
	"sort"
	"strings"
	"syscall/js"

	"undertone/wasm/host"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// diagnostics is the text for a bug report, in view before it is copied.
type diagnostics struct {
	app       *app.App
	box, text ui.Element
	with      ui.Element
	report    report
}

// NewDiagnostics puts it at the end of an element.
func NewDiagnostics(a *app.App, parent ui.Element) {
	v := &diagnostics{app: a, report: report{state: &a.State}}
	v.text = ui.El("textarea", ui.Attrs{{"id", "diagnostics-text"}, {"readonly", ""}, {"rows", "12"}, {"class", "code"}, {"spellcheck", "false"}, {"aria-label", &words.Text.Diagnostics}})
	v.with = ui.El("input", ui.Attrs{{"type", "checkbox"}, {"id", "diagnostics-prompt"}})
	ui.On(v.with, "change", func(ui.Event) { v.write() })
	copied := ui.IconButton("secondary", "copy", &words.Text.DiagnosticsCopy, func() {
		v.write()
		a.CopyText(v.text.Get("value").String(), words.Text.Copied)
	})
	copied.SetID("diagnostics-copy")
	v.box = ui.El("details", ui.Attrs{{"class", "diagnostics"}}, ui.El("summary", nil, &words.Text.Diagnostics),
		ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.DiagnosticsHint), v.text,
		ui.El("label", ui.Attrs{{"class", "check"}}, v.with, ui.El("span", nil, &words.Text.DiagnosticsPrompt)), copied)
	v.box.SetID("diagnostics")
	ui.On(v.box, "toggle", func(ui.Event) {
		if v.box.Get("open").Bool() {
			go v.gather()
		}
	})
	ui.Append(parent, v.box)
	a.React(v.react)
}

// react remembers the last fault, which dismissing takes from the page.
func (v *diagnostics) react(s *app.State) {
	if s.Problem != nil {
		v.report.fault = s.Problem
	}
}

func (v *diagnostics) write() {
	v.text.Set("value", v.report.text(v.with.Get("checked").Bool()))
}

// gather asks the browser for what only it knows.
func (v *diagnostics) gather() {
	g := js.Global()
	navigator := g.Get("navigator")
	r := &v.report
	r.version = version()
	r.agent = navigator.Get("userAgent").String()
	r.language = ui.Root().Get("lang").String()
	r.screen = fmt.Sprintf("%d × %d, ratio %v", g.Get("innerWidth").Int(), g.Get("innerHeight").Int(), g.Get("devicePixelRatio").Float())
	if m := navigator.Get("deviceMemory"); m.Type() == js.TypeNumber {
		r.memory = fmt.Sprintf("%v GB or more, %d threads", m.Float(), navigator.Get("hardwareConcurrency").Int())
	}
	if storage := host.Get("navigator", "storage"); storage.Truthy() && storage.Get("estimate").Truthy() {
		if e, err := promise.Of(storage.Call("estimate")); err == nil {
			r.storage = fmt.Sprintf("%s of %s", words.Bytes(int64(e.Get("usage").Float())), words.Bytes(int64(e.Get("quota").Float())))
		}
	}
	if gpu := host.Get("navigator", "gpu"); gpu.Truthy() {
		if adapter, err := promise.Of(gpu.Call("requestAdapter")); err == nil && adapter.Truthy() {
			r.adapter, r.features, r.limits = adapterText(adapter)
		}
	}
	v.write()
}

// limitNames are those that decide what fits.
var limitNames = []string{
	"maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage", "maxComputeWorkgroupStorageSize",
	"maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupsPerDimension",
}

func adapterText(adapter js.Value) (name, features, limits string) {
	var parts []string
	if info := adapter.Get("info"); info.Truthy() {
		for _, key := range []string{"vendor", "architecture", "device", "description"} {
			if v := info.Get(key); v.Type() == js.TypeString && v.String() != "" {
				parts = append(parts, v.String())
			}
		}
	}
	name = strings.Join(parts, " · ")
	list := js.Global().Get("Array").Call("from", adapter.Get("features"))
	var all []string
	for i := range list.Length() {
		all = append(all, list.Index(i).String())
	}
	sort.Strings(all)
	features = strings.Join(all, " ")
	var bounds []string
	for _, key := range limitNames {
		if v := adapter.Get("limits").Get(key); v.Type() == js.TypeNumber {
			bounds = append(bounds, fmt.Sprintf("%s %.0f", key, v.Float()))
		}
	}
	return name, features, strings.Join(bounds, ", ")
}
