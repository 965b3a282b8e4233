package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestBrowserLayout looks at every width, in both directions of writing, for what
// sticks out and for targets that are too small for a finger.
func TestBrowserLayout(t *testing.T) {
	t.Parallel()
	b := loadedSmall(t)
	for _, width := range []int64{320, 390, 768, 1280, 1920, 2560} {
		for _, dir := range []string{"ltr", "rtl"} {
			t.Run(fmt.Sprint(width, " ", dir), func(t *testing.T) {
				b.t = t
				b.run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600))
				var wrong []string
				b.call("layout.faults", &wrong, dir)
				for _, w := range wrong {
					t.Error(w)
				}
			})
		}
	}
	b.t = t
	b.silent(t)
}

// TestBrowserWelcome looks at the welcome where the window is low or narrow, as on a phone
// on its side, in a small frame, or at twice the size of text.
func TestBrowserWelcome(t *testing.T) {
	t.Parallel()
	script := axe(t)
	b := open(t, smallSite(t).URL, options{})
	b.ready()
	b.rules(t, script, "rules")
	for _, size := range [][2]int64{{1440, 900}, {1280, 720}, {844, 390}, {667, 375}, {640, 360}, {390, 844}, {360, 640}, {320, 568}} {
		b.step(fmt.Sprint(size), func(t *testing.T) {
			b.run(emulation.SetDeviceMetricsOverride(size[0], size[1], 1, size[0] < 1000))
			var wrong []string
			b.call("layout.welcome", &wrong)
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
	b.silent(t)
}
