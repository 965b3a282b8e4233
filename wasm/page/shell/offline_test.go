package shell

import (
	"strings"
	"testing"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// TestUpdateWaits holds an update back until it is wanted and nothing runs.
func TestUpdateWaits(t *testing.T) {
	for _, c := range []struct {
		phase  app.Phase
		wanted bool
		update string
		due    bool
	}{
		{app.Waiting, false, "waiting", false},
		{app.Ready, false, "waiting", false},
		{app.Ready, true, "", false},
		{app.Loading, true, "waiting", false},
		{app.Generating, true, "waiting", false},
		{app.Generating, true, "chosen", false},
		{app.Waiting, true, "waiting", true},
		{app.Ready, true, "waiting", true},
		{app.Ready, true, "chosen", true},
	} {
		s := app.State{Phase: c.phase}
		n := network{wanted: c.wanted, update: c.update}
		if got := n.due(s.Busy()); got != c.due {
			t.Errorf("%+v: due is %v", c, got)
		}
	}
}

// TestOfflineText tells whether the page starts without a network, and what is in the way.
func TestOfflineText(t *testing.T) {
	defer words.Use(words.Languages[0])
	for _, l := range words.Languages {
		words.Use(l)
		told := map[string]bool{}
		for _, c := range []struct {
			n    network
			says []string // nothing: it says nothing
		}{
			{network{}, nil},
			{network{changed: true}, nil},
			{network{startsOffline: true}, []string{words.Text.OfflineReady}},
			{network{startsOffline: true, changed: true}, []string{"docs/hosting.md"}},
			{network{refused: "a.js", why: "missing"}, []string{"a.js", "docs/hosting.md"}},
			{network{refused: "b.js", why: "changed"}, []string{"b.js", "docs/hosting.md"}},
			{network{refused: "c.js", why: "unstored"}, []string{"c.js", "docs/hosting.md"}},
			{network{refused: "sw.js", why: "worker"}, []string{"sw.js", "docs/hosting.md"}},
			{network{startsOffline: true, refused: "d.js", why: "changed"}, []string{"d.js", "docs/hosting.md"}},
		} {
			got := c.n.offlineText()
			if got == "" != (c.says == nil) || got != "" && told[got] {
				t.Errorf("%s: %+v: %q", l.Name, c.n, got)
			}
			told[got] = true
			for _, part := range c.says {
				if !strings.Contains(got, part) {
					t.Errorf("%s: %+v: %q does not say %q", l.Name, c.n, got, part)
				}
			}
		}
	}
}
