//go:build screenshots

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// publicPictures are the pictures that others show, by the names of their views: the
// README, and the browser's dialogue for installing (the manifest). A view that is
// not here is only to be looked at.
var publicPictures = map[string]string{
	"readme-compare": "docs/images/compare.png",
	"readme-sweep":   "docs/images/sweep.png",
	"readme-how":     "docs/images/how.png",
	"readme-phone":   "docs/images/phone.png",
	"install-wide":   "web/screenshots/wide.png",
	"install-narrow": "web/screenshots/narrow.png",
}

// screen takes pictures of a tab.
type screen struct {
	*tab
	folder string
}

// at gives the tab the size of a screen; under 600 pixels it is a phone.
func (c *screen) at(width, height int64) {
	c.t.Helper()
	var o []chromedp.EmulateViewportOption
	if width < 600 {
		o = append(o, chromedp.EmulateMobile)
	}
	c.run(chromedp.EmulateViewport(width, height, o...))
	c.top()
}

func (c *screen) desktop() { c.at(1280, 860) }
func (c *screen) phone()   { c.at(390, 844) }

// media pretends what the person or the device asks for: "prefers-color-scheme dark".
// What is not named is as usual.
func (c *screen) media(kind string, features ...string) {
	c.t.Helper()
	values := map[string]string{"prefers-color-scheme": "light", "forced-colors": "none"}
	for _, f := range features {
		name, value, _ := strings.Cut(f, " ")
		values[name] = value
	}
	var list []*emulation.MediaFeature
	for name, value := range values {
		list = append(list, &emulation.MediaFeature{Name: name, Value: value})
	}
	c.run(emulation.SetEmulatedMedia().WithMedia(kind).WithFeatures(list))
}

func (c *screen) top() { c.eval(`scrollTo(0, 0)`, nil) }

// show scrolls an element to the middle of the screen.
func (c *screen) show(selector string) {
	c.t.Helper()
	c.eval(`document.querySelector(`+quote(selector)+`).scrollIntoView({ block: "center" })`, nil)
}

// take writes what the screen shows.
func (c *screen) take(name string) {
	c.t.Helper()
	c.call("layout.still", nil)
	var shot []byte
	c.run(input.DispatchMouseEvent(input.MouseMoved, 1, 1), chromedp.ActionFunc(func(ctx context.Context) (err error) {
		shot, err = page.CaptureScreenshot().Do(ctx)
		return err
	}))
	file := filepath.Join(c.folder, name+".png")
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		c.t.Fatal(err)
	}
	c.t.Log(name)
	if place, ok := publicPictures[name]; ok {
		c.publish(file, filepath.Join("..", filepath.FromSlash(place)))
	}
}

// publish writes a picture where others show it, in fewer colours, by pngquant: a third of the
// bytes, and an installable app's may have no more than 300 kB.
func (c *screen) publish(file, place string) {
	c.t.Helper()
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		c.t.Fatal(err)
	}
	tool, err := exec.LookPath("pngquant")
	if err != nil {
		c.t.Fatalf("%s is not written: install pngquant", place)
	}
	if err := commands(exec.Command(tool, "--force", "--strip", "--speed", "1", "--quality", "60-98", "--output", place, file)); err != nil {
		c.t.Fatal(err)
	}
}

// still takes the focus away, so that its ring is not in the picture.
func (c *screen) still() { c.eval(`document.activeElement.blur()`, nil) }

// modernFont gives browsers that are started from now on the font of testdata/fonts.conf.
func modernFont(t *testing.T) {
	t.Helper()
	config, err := filepath.Abs(filepath.Join("testdata", "fonts.conf"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FONTCONFIG_FILE", config)
}
