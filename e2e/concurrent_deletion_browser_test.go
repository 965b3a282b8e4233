package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestBrowserDeletions deletes what others delete, write and read at the same time: a
// deletion is never told as the browser's refusal.
func TestBrowserDeletions(t *testing.T) {
	s := smallSite(t)
	f := newSource(t, s)
	b := storeTab(t, s)
	other := s.bundle(t).publish("shared", nil)
	c := b.another(s.URL + "/blank.html")
	const removals = `
		const faults = [];
		const remove = (address) => api.Undertone.remove(address).catch((e) => faults.push(e.message));
		await Promise.all(%s);
		return faults`

	for _, what := range []string{
		`[remove(), remove()]`,
		`Array.from({ length: 20 }, () => remove())`,
		`[remove("` + model + `"), remove("` + model + `"), remove("` + other + `")]`,
		`[remove("` + model + `"), remove(), remove("` + other + `"), remove()]`,
	} {
		b.step(what, func(t *testing.T) {
			b.keep(model)
			b.keep(other)
			var faults []string
			if b.eval(fmt.Sprintf(removals, what), &faults); len(faults) != 0 {
				t.Errorf("%q", faults)
			}
			if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
				t.Errorf("%+v is left", u)
			}
		})
	}

	b.step("in two tabs", func(t *testing.T) {
		for range 2 {
			b.keep(model)
			const several = `for (let i = 0; i < 5; i++) await remove()`
			begin := fmt.Sprintf(`globalThis.faults = []; const remove = (a) => api.Undertone.remove(a).catch((e) => faults.push(e.message));
				globalThis.removing = (async () => { %s })()`, several)
			b.eval(begin, nil)
			c.eval(begin, nil)
			for _, tab := range []*tab{b, c} {
				var faults []string
				if tab.eval(`await removing; return faults`, &faults); len(faults) != 0 {
					t.Errorf("%q", faults)
				}
			}
		}
	})

	// Without a line between the tabs, the files are the only news there is.
	good := s.prelude
	for name, prelude := range map[string]string{"told": "", "untold": `globalThis.BroadcastChannel = class { constructor() { throw new DOMException("no", "SecurityError"); } };`} {
		b.step("while another tab loads, "+name, func(t *testing.T) {
			for i := range 10 {
				b.forget()
				s.prelude = good + prelude
				f.is(f.slowly(512<<10, 10*time.Millisecond))
				c.eval(fmt.Sprintf(`globalThis.loading = keep(%q)`, f.address), nil)
				time.Sleep(time.Duration(40*i) * time.Millisecond)
				var faults []string
				b.eval(`globalThis.faults = []; for (let i = 0; i < 3; i++) await api.Undertone.remove().catch((e) => faults.push(e.message)); return faults`, &faults)
				var k kept
				c.eval(`return loading`, &k)
				if len(faults) != 0 || k.Fault != nil || k.Storage.Fault != nil {
					t.Errorf("deletion %d: %q, %+v", i, faults, k)
				}
				s.prelude = good
			}
		})
	}
}
