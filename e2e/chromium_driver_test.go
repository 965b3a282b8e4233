package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
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
	t       *testing.T
	ctx     context.Context
	options options

	mu        sync.Mutex
	complaint []string                     // errors in the console, exceptions, CSP violations
	contexts  []runtime.ExecutionContextID // of the documents, frames' too, the newest last
}

// options of a tab.
type options struct {
	noGPU  bool   // the browser without WebGPU's flag: navigator.gpu exists, no adapter
	webgpu bool   // WebGPU in software, which "auto" would leave for the faster CPU
	before string // a script that runs in every document before the page's own scripts
	// Service workers are left out unless a test is about them: an installed one
	// answers in the place of a server that misbehaves.
	serviceWorkers bool
	profile        string // the browser's folder, for a browser that is started again; "" is a fresh one
	proxy          string // through which every request goes, this machine's too
	names          string // a host name that means this machine, beside its own
}

// flags of a browser with these options.
func (o options) flags(binary string) []chromedp.ExecAllocatorOption {
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
	return flags
}

// open starts a browser with a fresh profile and opens the address.
func open(t *testing.T, address string, o options) *tab {
	t.Helper()
	binary, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium: install it (Debian: apt install chromium) to run this test")
	}
	if o.profile == "" {
		o.profile = t.TempDir()
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), o.flags(binary)...)
	ctx, cancel := chromedp.NewContext(allocator)
	// A browser that is asked to end in good order leaves its profile alone.
	t.Cleanup(func() {
		if ctx.Err() == nil { // a test may have ended it by itself
			chromedp.Cancel(ctx)
		}
		cancel()
		stop()
	})
	b := &tab{t: t, ctx: ctx, options: o}
	b.begin(address)
	return b
}

// another opens a second tab of the same browser.
func (b *tab) another(address string) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	c := &tab{t: b.t, ctx: ctx, options: b.options}
	c.begin(address)
	return c
}

// begin opens the address in a new tab. The first run starts the browser, or opens the tab,
// which lives as long as its context.
func (b *tab) begin(address string) {
	b.t.Helper()
	chromedp.ListenTarget(b.ctx, b.hear)
	if err := chromedp.Run(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	before := b.options.before
	if b.options.webgpu {
		before += script("before/name_webgpu.js")
	}
	if !b.options.serviceWorkers {
		before += "delete Navigator.prototype.serviceWorker;"
	}
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(before + pageScripts()).Do(ctx)
		return err
	}), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address))
}

// close ends the browser, so that its profile can be opened again.
func (b *tab) close() {
	b.t.Helper()
	if err := chromedp.Cancel(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // its last files are written
}

// kill ends the browser as a power cut would, with all its processes.
func (b *tab) kill() {
	b.t.Helper()
	if err := chromedp.FromContext(b.ctx).Browser.Process().Kill(); err != nil {
		b.t.Fatal(err)
	}
	<-b.ctx.Done()
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExecutionContextCreated:
		b.contexts = append(b.contexts, e.Context.ID)
	case *runtime.EventExecutionContextDestroyed:
		b.contexts = slices.DeleteFunc(b.contexts, func(id runtime.ExecutionContextID) bool { return id == e.ExecutionContextID })
	case *runtime.EventExecutionContextsCleared:
		b.contexts = nil
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
	b.run(chromedp.Evaluate(awaited(body), &text, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if into == nil {
		return
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(into); err != nil {
		b.t.Fatalf("%s returned %.200s: %v", body, text, err)
	}
}

// call calls a function of scripts/page by its name, such as "gpu.state", waits for what it
// returns, and decodes that.
func (b *tab) call(function string, into any, arguments ...any) {
	b.t.Helper()
	b.eval(calling(function, arguments), into)
}

// until waits for a JavaScript expression to become true.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.run(chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience)))
}

// arrive waits for an expression to become true across navigations, which end what
// is being evaluated.
func (b *tab) arrive(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var is bool
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Run(ctx, chromedp.Evaluate(`Boolean(`+expression+`)`, &is))
		cancel()
		if is {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it does not become true: %s: %v", expression, err)
		}
	}
}

// become waits for an expression with await in it to become true.
func (b *tab) become(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; {
		var is bool
		if b.eval(`return Boolean(`+expression+`)`, &is); is {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it does not become true: %s", expression)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
