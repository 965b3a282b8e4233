package e2e

import (
	"testing"
	"time"
)

// TestBrowserConcurrentDeletion deletes what others delete, write and read at the same time:
// a deletion is never told as the browser's refusal.
func TestBrowserConcurrentDeletion(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	f := newSource(t, s)
	b := openBlank(t, s)
	other := s.bundle(t).publish("shared", nil)
	c := b.another(s.URL + "/blank.html")

	one, two := any(model), any(other)
	for name, at := range map[string][]any{
		"twice":                     {nil, nil},
		"twenty times":              make([]any, 20),
		"one model twice":           {one, one, two},
		"each model and everything": {one, nil, two, nil},
	} {
		b.step(name, func(t *testing.T) {
			b.keep(model)
			b.keep(other)
			b.removes(t, [][]any{at})
			if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
				t.Errorf("%+v is left", u)
			}
		})
	}

	b.step("in two tabs", func(t *testing.T) {
		five := [][]any{{nil}, {nil}, {nil}, {nil}, {nil}}
		for range 2 {
			b.keep(model)
			b.call("store.beginRemoving", nil, five)
			c.call("store.beginRemoving", nil, five)
			for _, tab := range []*tab{b, c} {
				var faults []string
				if tab.call("store.endRemoving", &faults); len(faults) != 0 {
					t.Errorf("%q", faults)
				}
			}
		}
	})

	// Without a channel between the tabs, the files are the only news there is.
	good := s.prelude
	for name, prelude := range map[string]string{"told": "", "untold": `globalThis.BroadcastChannel = class { constructor() { throw new DOMException("no", "SecurityError"); } };`} {
		b.step("while another tab loads, "+name, func(t *testing.T) {
			for i := range 10 {
				b.forget()
				s.prelude = good + prelude
				f.is(f.slowly(512<<10, 10*time.Millisecond))
				c.call("store.begin", nil, f.address)
				time.Sleep(time.Duration(40*i) * time.Millisecond)
				b.removes(t, [][]any{{nil}, {nil}, {nil}})
				if k := c.kept(); k.Fault != nil || k.Storage.Fault != nil {
					t.Errorf("deletion %d: %+v", i, k)
				}
				s.prelude = good
			}
		})
	}
}

// removes deletes what every list has at the same time, one list after another; nil is
// everything.
func (b *tab) removes(t *testing.T, lists [][]any) {
	t.Helper()
	var faults []string
	if b.call("store.removeAll", &faults, lists); len(faults) != 0 {
		t.Errorf("%q", faults)
	}
}
