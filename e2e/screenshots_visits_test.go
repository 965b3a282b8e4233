//go:build screenshots

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// slow reads a file as a slow line would bring it, about 300 kB in a second.
type slow struct{ *os.File }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return s.File.Read(p)
}

// firstVisit is all until a picture is made, and what goes wrong on the way.
func (c *screen) firstVisit(s *server) {
	c.ready()
	c.take("welcome")
	c.media("", "prefers-color-scheme dark")
	c.take("welcome-dark")
	c.media("")
	c.phone()
	c.take("welcome-phone")
	c.at(1920, 1080)
	c.take("welcome-wide")
	c.desktop()
	for name := range files(c.t, s.dir) {
		if !strings.HasSuffix(name, ".gguf") {
			continue
		}
		s.misbehave("/"+name, func(w http.ResponseWriter, r *http.Request) {
			f, err := os.Open(filepath.Join(s.dir, filepath.FromSlash(name)))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			defer f.Close()
			http.ServeContent(w, r, "", time.Time{}, slow{f})
		})
		defer s.misbehave("/"+name, nil)
	}
	c.eval(`document.querySelector("#load").click()`, nil)
	c.until(`document.querySelector("progress").value > 0.4`)
	c.take("loading")
	c.phone()
	c.take("loading-phone")
	c.desktop()
	c.eval(`document.querySelector("#cancel").click()`, nil)
	c.until(`!document.querySelector("#load").hidden`)
	for name := range files(c.t, s.dir) {
		if strings.HasSuffix(name, ".gguf") {
			s.misbehave("/"+name, http.NotFound)
		}
	}
	c.fault("fault-download", `document.querySelector("#load").click()`)
	for name := range files(c.t, s.dir) {
		s.misbehave("/"+name, nil)
	}
	c.click("#alert .square")
	c.run(storage.OverrideQuotaForOrigin(s.URL).WithQuotaSize(3 << 20))
	c.loadModel()
	c.take("storage-full")
	c.run(storage.OverrideQuotaForOrigin(s.URL))
}

// app is the page without a network, with the weights and without them.
func (c *screen) app() {
	offline := func() {
		c.call("site.offline", nil)
	}
	c.ready()
	c.until(isKept)
	offline()
	c.take("offline-without-weights")
	c.run(chromedp.Reload())
	c.ready()
	c.loadModel()
	c.run(chromedp.Reload())
	c.ready()
	offline()
	c.take("offline")
	c.loadModel()
	c.generate()
	c.still()
	c.take("offline-picture")
	c.phone()
	c.take("offline-phone")
}

// shootUpdate is the page when there is a new version of it.
func shootUpdate(t *testing.T, folder string) {
	h := newHost(t, released(t, 1))
	c := &screen{visit(t, h, ""), folder}
	h.put(released(t, 2))
	c.eval(`undertone.offline.check()`, nil)
	c.until(waiting)
	c.desktop()
	c.take("update")
	c.phone()
	c.take("update-phone")
}
