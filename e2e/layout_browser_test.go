package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestBrowserLayout looks at every width, in both directions of writing, for what
// sticks out and for targets that are too small for a finger.
func TestBrowserLayout(t *testing.T) {
	b := loadedSmall(t, options{})
	for _, width := range []int64{320, 390, 768, 1280, 1920, 2560} {
		for _, dir := range []string{"ltr", "rtl"} {
			t.Run(fmt.Sprint(width, " ", dir), func(t *testing.T) {
				b.t = t
				b.run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600))
				var wrong []string
				b.eval(`
					document.documentElement.dir = `+quote(dir)+`;
					document.querySelectorAll("details").forEach((d) => (d.open = true));
					await test.drawn();
					await test.sleep(100);
					const wrong = [];
					if (document.documentElement.scrollWidth > innerWidth) wrong.push("the page is " + document.documentElement.scrollWidth + " wide");
					for (const e of document.querySelectorAll("button, select, textarea, input:not([type=checkbox], [type=radio]), label:has(input), summary")) {
						const r = e.getBoundingClientRect();
						if (!e.checkVisibility() || r.width === 0) continue;
						const name = e.tagName + "#" + e.id + " " + e.textContent.trim().slice(0, 20);
						if (r.height < 43.9 || r.width < 43.9) wrong.push(name + " is " + r.width.toFixed(1) + " × " + r.height.toFixed(1));
						const scrolls = e.closest("#prompt-examples, .tabs");
						if (!scrolls && (r.left < -0.5 || r.right > innerWidth + 0.5)) wrong.push(name + " sticks out");
					}
					return wrong`, &wrong)
				for _, w := range wrong {
					t.Error(w)
				}
			})
		}
	}
	b.t = t
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}
