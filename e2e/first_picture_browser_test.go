package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

// screens are the sizes at which guidance is in sight together with the picture.
var screens = [][2]int64{{1440, 900}, {1280, 720}, {820, 1180}, {390, 844}, {320, 568}}

// low are more of them: a phone on its side, and a laptop at twice the size of text.
var low = [][2]int64{{844, 390}, {667, 375}, {720, 450}}

// desks are common windows of laptops and desks: in them, all of the picture's is in sight.
var desks = [][2]int64{{1280, 800}, {1366, 768}, {1440, 900}, {1536, 864}, {1920, 1080}}

// resize gives the tab the size of a screen; under 600 pixels it is a phone.
func (b *tab) resize(width, height int64) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600))
	b.call("drawn", nil)
}

// TestBrowserFirstPicture counts presses, with the shipped model: one from opening the
// page to a picture, and one more to what guidance makes of it, without scrolling.
func TestBrowserFirstPicture(t *testing.T) {
	t.Parallel()
	b := open(t, serve(t).URL, options{noGPU: true})
	b.ready()
	b.call("controls.record", nil)
	if b.is(`document.querySelector("#guidance").checkVisibility()`) {
		t.Error("guidance is offered before there is anything to guide")
	}
	b.click("#load-cpu")
	b.until(idle)
	plain := b.canvasOf(picturePane)
	if n := len(b.requests()); n != 1 || len(b.last().Guidance) != 0 {
		t.Fatalf("the first press made %d pictures, the last of %+v", n, b.last())
	}
	for _, size := range slices.Concat(screens, low) {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b.t = t
			b.resize(size[0], size[1])
			var unseen []string
			if b.call("layout.unseen", &unseen); len(unseen) != 0 {
				t.Errorf("cannot be seen without scrolling: %q", unseen)
			}
		})
	}
	b.t = t
	b.resize(screens[0][0], screens[0][1])
	b.call("layout.watchShifts", nil)
	b.lean()
	var shifts []string
	if b.eval(`await test.sleep(100); return test.shifts`, &shifts); len(shifts) != 0 {
		t.Errorf("what the second press changes moves other things: %q", shifts)
	}
	if leaned := b.canvasOf(picturePane); leaned == plain || len(b.requests()) != 2 || b.last().Guidance[0].Positive != "at night" {
		t.Errorf("the second press made %d pictures, the last of %+v", len(b.requests()), b.last())
	}
	if says, steps := b.text("#times"), b.value("steps"); !strings.Contains(says, " "+steps+" steps ") {
		t.Errorf("of %s steps, below the picture stands %q", steps, says)
	}
	b.step("under the picture", func(t *testing.T) { b.seesAll(t, "zh-Hans", "en") })
	b.step("two directions", func(t *testing.T) { b.seesTwo(t) })
	b.step("low", func(t *testing.T) { b.seesFoot(t) })
	b.step("Advanced", func(t *testing.T) {
		if b.is(`document.querySelector("#positive").checkVisibility()`) {
			t.Error("it is unfolded from the start")
		}
		b.click("#advanced summary")
		b.until(`document.querySelector("#bars").checkVisibility()`)
		c := b.another(b.address())
		c.until(usable + ` || ` + onCPU)
		if !c.is(`document.querySelector("#advanced").open`) {
			t.Error("another visit has forgotten that it was unfolded")
		}
	})
	b.silent(t)
}

// seesAll looks on laptops and desks for the picture, the presets, the strip and the toolbar,
// in these languages.
func (b *tab) seesAll(t *testing.T, tags ...string) {
	for _, tag := range tags {
		b.call("form.speak", nil, tag)
		for _, size := range slices.Concat(desks, screens[1:2]) {
			b.resize(size[0], size[1])
			var cut []string
			if b.call("layout.cutOff", &cut); len(cut) != 0 {
				t.Errorf("%v, %s: cannot be seen without scrolling: %q", size, tag, cut)
			}
		}
	}
	b.resize(screens[0][0], screens[0][1])
}

// seesTwo adds a direction, and looks on a desk's and a laptop's screen for what guides the
// pictures of the views that have more to show than one; with a third, and with four pictures
// at once, for what is under the picture.
func (b *tab) seesTwo(t *testing.T) {
	b.click("#add-direction")
	b.seesAll(t, "en")
	b.click(`[data-preset="watercolour"]`)
	b.follows()
	b.generate() // a picture that follows quickly is made without its steps
	for _, size := range screens[:2] {
		b.resize(size[0], size[1])
		for _, pane := range []string{"compare", "steps"} {
			b.click("#tab-" + pane)
			b.until(`document.querySelectorAll("#pane-` + pane + ` figure:not([hidden])").length === 2 && ` + idle)
			wanted := []any{"#weight-slider", "#weight-slider-1"}
			if pane == "steps" {
				wanted = wanted[:1]
			}
			// What tells of a picture in the making may take a line for a while.
			var unseen []string
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
				if b.call("layout.unseen", &unseen, wanted...); len(unseen) == 0 {
					break
				}
				if time.Now().After(end) {
					t.Errorf("%v, %s: cannot be seen without scrolling: %q", size, pane, unseen)
					break
				}
			}
		}
		var rows int
		if b.call("layout.presetRows", &rows); rows != 1 {
			t.Errorf("%v: the presets stand in %d rows", size, rows)
		}
	}
	b.click("#tab-picture")
	b.click("#add-direction")
	b.click(`[data-preset="sunset"]`)
	b.follows()
	b.seesAll(t, "en")
	b.click("#remove-direction-2")
	b.click("#remove-direction-1")
	b.follows()
	b.click(`label:has([name="each"][value="4"])`)
	b.generate()
	b.seesAll(t, "en")
	b.click(`label:has([name="each"][value="1"])`)
}

// seesFoot scrolls a window that is lower than the stage: its foot comes in sight before that
// of the panel does, and what goes wrong is told in sight.
func (b *tab) seesFoot(t *testing.T) {
	b.resize(1280, 600)
	var below float64
	b.eval(`scrollTo({ top: 300, behavior: "instant" }); return document.querySelector("#times").getBoundingClientRect().bottom - innerHeight`, &below)
	if below > 0 {
		t.Errorf("what the picture took is %.0f pixels below the window", below)
	}
	steps := b.value("steps")
	b.field("steps", "9999")
	b.pressGenerate()
	b.until("!(" + noAlert + ")")
	var top float64
	if b.eval(`await test.sleep(100); return document.querySelector("#alert").getBoundingClientRect().top`, &top); top < 0 {
		t.Errorf("what went wrong begins %.0f pixels above the window", -top)
	}
	b.field("steps", steps)
	b.click("#alert .square")
	b.resize(screens[0][0], screens[0][1])
}

// address is that of the page.
func (b *tab) address() (address string) {
	b.t.Helper()
	b.eval(`return location.href`, &address)
	return address
}

// TestBrowserStill: nothing moves while a picture is made, nor when it is finished.
func TestBrowserStill(t *testing.T) {
	t.Parallel()
	b := loadedSmall(t)
	for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
		b.step(fmt.Sprint(size), func(t *testing.T) {
			b.resize(size[0], size[1])
			b.generate() // which says that the picture is the same again
			var before, during, after map[string]string
			b.call("layout.watchShifts", nil)
			for i := range 2 {
				b.field("seed", fmt.Sprint(size[0]+int64(i)))
				b.call("layout.places", &before)
				b.call("controls.hold", nil)
				b.pressGenerate()
				b.until(`!document.querySelector("#stop").hidden`)
				b.call("layout.places", &during)
				b.call("controls.letGo", nil)
				b.settle()
				b.call("layout.places", &after)
				for name, place := range before {
					if during[name] != place || after[name] != place {
						t.Errorf("%s was at %s, then at %s, and is at %s", name, place, during[name], after[name])
					}
				}
			}
			var shifts []string
			if b.eval(`await test.sleep(100); return test.shifts`, &shifts); len(shifts) != 0 {
				t.Errorf("it moves: %q", shifts)
			}
		})
	}
	b.silent(t)
}
