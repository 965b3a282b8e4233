package page

import (
	"strings"
	"testing"
)

// TestUpdateWaits holds an update back until it is wanted and nothing runs.
func TestUpdateWaits(t *testing.T) {
	for _, c := range []struct {
		phase  phase
		wanted bool
		update string
		due    bool
	}{
		{waiting, false, "waiting", false},
		{ready, false, "waiting", false},
		{ready, true, "", false},
		{loading, true, "waiting", false},
		{generating, true, "waiting", false},
		{generating, true, "chosen", false},
		{waiting, true, "waiting", true},
		{ready, true, "waiting", true},
		{ready, true, "chosen", true},
	} {
		s := state{phase: c.phase, network: network{wanted: c.wanted, update: c.update}}
		if got := s.due(); got != c.due {
			t.Errorf("%+v: due is %v", c, got)
		}
	}
}

// TestKeeping tells whether the page starts without a network, and what is in the way.
func TestKeeping(t *testing.T) {
	defer speak(languages[0])
	for _, l := range languages {
		speak(l)
		told := map[string]bool{}
		for _, c := range []struct {
			n    network
			says []string // nothing: it says nothing
		}{
			{network{}, nil},
			{network{changed: true}, nil},
			{network{kept: true}, []string{say.OfflineReady}},
			{network{kept: true, changed: true}, []string{"docs/hosting.md"}},
			{network{refused: "a.js", why: "missing"}, []string{"a.js", "docs/hosting.md"}},
			{network{refused: "b.js", why: "changed"}, []string{"b.js", "docs/hosting.md"}},
			{network{refused: "c.js", why: "unstored"}, []string{"c.js", "docs/hosting.md"}},
			{network{refused: "sw.js", why: "worker"}, []string{"sw.js", "docs/hosting.md"}},
			{network{kept: true, refused: "d.js", why: "changed"}, []string{"d.js", "docs/hosting.md"}},
		} {
			got := c.n.keeping()
			if got == "" != (c.says == nil) || got != "" && told[got] {
				t.Errorf("%s: %+v: %q", l.name, c.n, got)
			}
			told[got] = true
			for _, part := range c.says {
				if !strings.Contains(got, part) {
					t.Errorf("%s: %+v: %q does not say %q", l.name, c.n, got, part)
				}
			}
		}
	}
}
