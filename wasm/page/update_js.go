package page

import "syscall/js"

// updates shows what the page knows of the world outside: that there is no network,
// that a new version is there, and that the page can be installed. The browser's
// side of it is web/offline.js.
type updates struct {
	offline js.Value // the module; undefined where there is none

	banner, what, now, later element
	sign, install, kept      element
	reloading                bool
}

func newUpdates(a *app) *updates {
	v := &updates{
		offline: js.Global().Get("undertone").Get("offline"),
		what:    el("p", attrs{"class": "strong"}),
		sign:    el("p", attrs{"id": "offline", "class": "device", "title": &say.OfflineHint, "hidden": ""}, &say.Offline),
		kept:    el("p", attrs{"id": "kept", "class": "muted", "hidden": ""}),
	}
	v.now = button("primary", "", func() {
		a.update(func(s *state) { s.network.wanted = true })
	})
	v.now.SetID("update-now")
	v.later = button("quiet", &say.Later, func() {
		a.update(func(s *state) { s.network.postponed, s.network.wanted = true, false })
	})
	v.later.SetID("update-later")
	v.banner = el("div", attrs{"class": "news", "hidden": ""}, v.what, el("div", attrs{"class": "buttons"}, v.now, v.later))
	region := el("div", attrs{"id": "update"}, v.banner)
	header := wrap(document.Call("querySelector", "header"))
	header.Call("after", region.Value)

	v.install = iconButton("secondary", "save", &say.Install, func() { v.offline.Call("install") })
	v.install.SetID("install")
	setAttr(v.install, "title", say.InstallHint)
	add(header, el("div", attrs{"class": "signs"}, v.sign, byID("device"), v.install))
	byID("footer").Call("prepend", v.kept.Value)
	if v.offline.Truthy() {
		v.listen(a)
	}
	return v
}

// listen keeps the state in line with the module's for as long as the page lives.
func (v *updates) listen(a *app) {
	v.offline.Call("listen", js.FuncOf(func(js.Value, []js.Value) any {
		is := v.offline.Get("state")
		a.update(func(s *state) {
			n := &s.network
			n.offline, n.kept, n.installable = !is.Get("online").Bool(), is.Get("offline").Bool(), is.Get("installable").Bool()
			n.changed, n.refused, n.why = is.Get("changed").Bool(), is.Get("refused").String(), is.Get("why").String()
			if update := is.Get("update").String(); update != n.update {
				n.update, n.postponed, n.wanted = update, false, false
			}
		})
		return nil
	}))
}

func (v *updates) render(s *state) {
	n := &s.network
	show(v.sign, n.offline)
	keeping := n.keeping()
	show(v.kept, keeping != "")
	setText(v.kept, keeping)
	show(v.install, n.installable)
	news, press := n.news(), say.UpdateNow
	show(v.banner, news != "")
	if n.update == "chosen" {
		press = say.Reload
	}
	if n.wanted && s.busy() {
		press = say.UpdateSoon
	}
	if news != "" {
		setText(v.what, news)
	}
	setText(v.now, press)
	if s.due() && !v.reloading {
		v.reloading = true
		v.offline.Call("update")
	}
}
