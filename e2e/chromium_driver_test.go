// Package e2e holds the tests of the page and the API in real browsers. They drive a real Chromium, and
// those named Firefox a real Firefox:
//
//	go test ./e2e -run Browser
//
// They need chromium and firefox-esr in the PATH and a model in models/sprites (or, by
// its folder, in UNDERTONE_MODEL). The site is built as `undertone dist` builds it, and
// served by a server that can misbehave.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// tab is a page in a Chromium of its own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu        sync.Mutex
	complaint []string // errors in the console, exceptions, CSP violations
}

// options of a tab.
type options struct {
	noGPU  bool   // the browser without WebGPU's flag: navigator.gpu exists, no adapter
	script string // runs in every document before its own scripts
	// Service workers are left out unless a test is about them: an installed one
	// answers in the place of a server that misbehaves.
	offline bool
	profile string // the browser's folder, for a browser that is started again; "" is a fresh one
	proxy   string // through which every request goes, this machine's too
	names   string // a host name that means this machine, beside its own
}

// open starts a browser with a fresh profile and opens the address.
func open(t *testing.T, address string, o options) *tab {
	t.Helper()
	binary, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium: install it (Debian: apt install chromium) to run this test")
	}
	if !o.offline {
		o.script += "delete Navigator.prototype.serviceWorker;"
	}
	if o.profile == "" {
		o.profile = t.TempDir()
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.UserDataDir(o.profile),
		chromedp.Flag("headless", "new"), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	if !o.noGPU {
		flags = append(flags, chromedp.Flag("enable-unsafe-webgpu", true))
	}
	if o.proxy != "" {
		flags = append(flags, chromedp.ProxyServer(o.proxy), chromedp.Flag("proxy-bypass-list", "<-loopback>"))
	}
	if o.names != "" {
		flags = append(flags, chromedp.Flag("host-resolver-rules", "MAP "+o.names+" 127.0.0.1"))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancel := chromedp.NewContext(allocator)
	// A browser that is asked to end in good order leaves its profile alone.
	t.Cleanup(func() {
		if ctx.Err() == nil { // a test may have ended it by itself
			chromedp.Cancel(ctx)
		}
		cancel()
		stop()
	})
	b := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.hear)
	// The first run starts the browser, which lives as long as its context.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(o.script + pageHelpers).Do(ctx)
		return err
	}), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address))
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaint = append(b.complaint, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError {
			b.complaint = append(b.complaint, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			var words []string
			for _, a := range e.Args {
				words = append(words, string(a.Value)+a.Description)
			}
			b.complaint = append(b.complaint, strings.Join(words, " "))
		}
	}
}

// complaints returns what went wrong in the page since the last call.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.complaint
	b.complaint = nil
	return c
}

// patience bounds every action: pictures take seconds on an emulated GPU.
const patience = 3 * time.Minute

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%v\nthe page says: %v", err, b.complaints())
	}
}

// step is a subtest in the same tab.
func (b *tab) step(name string, f func(t *testing.T)) {
	whole := b.t
	defer func() { b.t = whole }()
	whole.Run(name, func(t *testing.T) {
		b.t = t
		f(t)
	})
}

// eval evaluates the body of an async JavaScript function and decodes what it returns.
func (b *tab) eval(body string, into any) {
	b.t.Helper()
	var text string
	script := "(async () => JSON.stringify((await (async () => {" + body + "})()) ?? null))()"
	b.run(chromedp.Evaluate(script, &text, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if into == nil {
		return
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(into); err != nil {
		b.t.Fatalf("%s returned %.200s: %v", body, text, err)
	}
}

// until waits for a JavaScript expression to become true.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.run(chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
}

// pageHelpers are there in every document.
const pageHelpers = `
globalThis.test = {
  line: new BroadcastChannel("test"),
  async digest(bytes) {
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
  },
  // What is on a canvas of the page: its hash, and how many colours there are.
  async canvas(i = 0) {
    const c = document.querySelectorAll("canvas")[i];
    const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
    const colours = new Set(new Uint32Array(data.buffer));
    return { width: c.width, height: c.height, hash: await test.digest(data), colours: colours.size };
  },
  picture: async (r) => ({ hash: await test.digest(r.image.data), seed: r.seed, timings: r.timings, colours: new Set(new Uint32Array(r.image.data.buffer)).size }),
  fault: (e) => ({ name: e.name, code: e.code, message: e.message, advice: e.advice }),
  // The fault with which a promise rejects, or null.
  refused: (promise) => promise.then(() => null, test.fault),
  submits: () => new Promise((done) => {
    test.line.addEventListener("message", ({ data }) => done(data.submits), { once: true });
    test.line.postMessage("count");
  }),
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
};
`
