package shell

import (
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Updates shows what the page knows of the world outside: that there is no network,
// that a new version is there, and that the page can be installed. The browser's
// side of it is web/offline.js.
type Updates struct {
	network
	offline js.Value // the module; undefined where there is none

	banner, what, now, later ui.Element
	sign, install, keeps     ui.Element
	reloading                bool
}

// NewUpdates puts it around the header and the footer.
func NewUpdates(a *app.App) *Updates {
	v := &Updates{
		offline: js.Global().Get("undertone").Get("offline"),
		what:    ui.El("p", ui.Attrs{{"class", "strong"}}),
		sign:    ui.El("p", ui.Attrs{{"id", "offline"}, {"class", "device"}, {"title", &words.Text.OfflineHint}, {"hidden", ""}}, &words.Text.Offline),
		keeps:   ui.El("p", ui.Attrs{{"id", "offline-state"}, {"class", "muted"}, {"hidden", ""}}),
	}
	v.now = ui.Button("primary", "", func() {
		a.Update(func(*app.State) { v.wanted = true })
	})
	v.now.SetID("update-now")
	v.later = ui.Button("quiet", &words.Text.Later, func() {
		a.Update(func(*app.State) { v.postponed, v.wanted = true, false })
	})
	v.later.SetID("update-later")
	v.banner = ui.El("div", ui.Attrs{{"class", "news"}, {"hidden", ""}}, v.what, ui.El("div", ui.Attrs{{"class", "buttons"}}, v.now, v.later))
	region := ui.El("div", ui.Attrs{{"id", "update"}}, v.banner)
	header := ui.Wrap(ui.Document.Call("querySelector", "header"))
	header.Call("after", region.Value)

	v.install = ui.IconButton("secondary", "save", &words.Text.Install, func() { v.offline.Call("install") })
	v.install.SetID("install")
	ui.SetAttr(v.install, "title", words.Text.InstallHint)
	ui.Append(header, ui.El("div", ui.Attrs{{"class", "signs"}}, v.sign, ui.ByID("device"), v.install))
	ui.ByID("footer").Call("prepend", v.keeps.Value)
	if v.offline.Truthy() {
		v.listen(a)
	}
	a.React(v.react)
	return v
}

// listen keeps the state in line with the module's for as long as the page lives.
func (v *Updates) listen(a *app.App) {
	v.offline.Call("listen", js.FuncOf(func(js.Value, []js.Value) any {
		is := v.offline.Get("state")
		a.Update(func(s *app.State) {
			n := &v.network
			n.offline, n.startsOffline, n.installable = !is.Get("online").Bool(), is.Get("offline").Bool(), is.Get("installable").Bool()
			n.changed, n.refused, n.why = is.Get("changed").Bool(), is.Get("refused").String(), is.Get("why").String()
			if update := is.Get("update").String(); update != n.update {
				n.update, n.postponed, n.wanted = update, false, false
			}
		})
		return nil
	}))
}

// Render draws it.
func (v *Updates) Render(s *app.State) {
	n := &v.network
	ui.Show(v.sign, n.offline)
	offline := n.offlineText()
	ui.Show(v.keeps, offline != "")
	ui.SetText(v.keeps, offline)
	ui.Show(v.install, n.installable)
	news, press := n.updateText(), words.Text.UpdateNow
	ui.Show(v.banner, news != "")
	if n.update == "chosen" {
		press = words.Text.Reload
	}
	if n.wanted && s.Busy() {
		press = words.Text.UpdateSoon
	}
	if news != "" {
		ui.SetText(v.what, news)
	}
	ui.SetText(v.now, press)
}

// News is what there is to say about a new version, or "".
func (v *Updates) News() string { return v.updateText() }

// react takes the new version when it is due, which loads the page anew.
func (v *Updates) react(s *app.State) {
	if v.due(s.Busy()) && !v.reloading {
		v.reloading = true
		v.offline.Call("update")
	}
}
