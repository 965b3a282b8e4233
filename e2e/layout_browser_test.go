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
