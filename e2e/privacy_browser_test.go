package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// recordingProxy is a proxy through which the browser has to go, whoever in it asks:
// page, worker or service worker.
type recordingProxy struct {
	*httptest.Server
	mu    sync.Mutex
	heard []string // host, address, headers and body of every request
	hosts map[string]int
}

func newRecordingProxy(t *testing.T, origin string) *recordingProxy {
	at, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	e := &recordingProxy{hosts: map[string]int{}}
	onward := httputil.NewSingleHostReverseProxy(at)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		e.mu.Lock()
		e.hosts[r.Host]++
		e.heard = append(e.heard, fmt.Sprint(r.Method, " ", r.Host, r.URL, r.Header, string(body)))
		e.mu.Unlock()
		if r.Host != at.Host {
			http.Error(w, "not here", http.StatusBadGateway)
			return
		}
		r.URL.Scheme, r.URL.Host = "", ""
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

// TestBrowserPrivacy listens to everything the browser asks for in a session: only the
// site's own origin is asked, and no request holds a word of the prompts.
func TestBrowserPrivacy(t *testing.T) {
	t.Parallel()
	s := quantizedSite(t)
	e := newRecordingProxy(t, s.URL)
	b := open(t, s.URL, options{noGPU: true, serviceWorkers: true, proxy: e.URL})
	b.loadModel()
	b.field("prompt", "a zebrafinch in a meadow")
	b.field("steps", "1")
	b.unfold()
	b.field("positive", "quetzalcoatl")
	b.generate()
	b.eval(`location.hash = "#prompt=capybara&seed=5"`, nil)
	b.until(`document.querySelector("#prompt").value === "capybara"`)
	b.generate()
	b.run(chromedp.Reload())
	b.ready()
	b.run(chromedp.Navigate(s.URL + "/embed.html#prompt=axolotl&seed=5"))
	b.until(`document.querySelector("#caption").textContent.includes("axolotl") && (` + onCPU + ` || document.querySelector("#another")?.checkVisibility())`)

	e.mu.Lock()
	defer e.mu.Unlock()
	at, _ := url.Parse(s.URL)
	if e.hosts[at.Host] < 5 {
		t.Fatalf("the proxy heard %v", e.hosts)
	}
	for host, n := range e.hosts {
		// Chromium itself looks for its maker's services; the page must not be who asks.
		if host != at.Host && !strings.Contains(host, "google") && !strings.Contains(host, "gvt1.com") {
			t.Errorf("%d requests went to %s", n, host)
		}
	}
	for _, heard := range e.heard {
		for _, word := range []string{"zebrafinch", "quetzalcoatl", "capybara", "axolotl"} {
			if strings.Contains(strings.ToLower(heard), word) {
				t.Errorf("%q is in the request %.300s", word, heard)
			}
		}
	}
}
