package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// hostPage serves a page of somebody else, on an origin of its own, that holds these lines;
// headers are those of its answer.
func hostPage(t *testing.T, headers map[string]string, body string) string {
	t.Helper()
	style := reserve(t) + "body { margin: 16px }"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
		case "/style.css":
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, style)
			return
		default:
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>A page about pictures</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head><body><main><h1>A page about pictures</h1>%s<p id="below">What stands below. <a id="next" href="#below">A link.</a></p></main></body></html>`, body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// reserve is the style of docs/embedding.md, which keeps the element's place before its
// script has run.
func reserve(t *testing.T) string {
	t.Helper()
	style, err := os.ReadFile("testdata/hosts/undertone.css")
	if err != nil {
		t.Fatal(err)
	}
	return string(style)
}

// element is the script of the site and one <undertone-demo>.
func element(s *server, attributes string) string {
	return `<script type="module" src="` + s.URL + `/element.js"></script><undertone-demo ` + attributes + `></undertone-demo>`
}

// frame is the document in the frame of a tab's n-th <undertone-demo>. Its origin is not
// the tab's, so that scripts of the tab do not reach it; its process is the same.
type frame struct {
	b       *tab
	context runtime.ExecutionContextID
	element string // an expression for the element
}

// framed waits for the frame of the n-th <undertone-demo>, which has this seed.
func (b *tab) framed(n int, seed string) *frame {
	b.t.Helper()
	f := &frame{b: b, element: fmt.Sprintf(`document.querySelectorAll("undertone-demo")[%d]`, n)}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		b.mu.Lock()
		list := append([]runtime.ExecutionContextID{}, b.contexts...)
		b.mu.Unlock()
		for i := len(list) - 1; i >= 0; i-- {
			f.context = list[i]
			if is, _ := f.evaluate(`location.pathname.endsWith("/embed.html") && new URLSearchParams(location.hash.slice(1)).get("seed") === ` + quote(seed)); is == "true" {
				return f
			}
		}
	}
	b.t.Fatalf("there is no frame of the seed %s", seed)
	return nil
}

func (f *frame) evaluate(expression string) (string, error) {
	var text string
	ctx, cancel := context.WithTimeout(f.b.ctx, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		result, exception, err := runtime.Evaluate(expression).WithContextID(f.context).WithAwaitPromise(true).WithReturnByValue(true).Do(ctx)
		if err != nil {
			return err
		}
		if exception != nil {
			return exception
		}
		text = string(result.Value)
		return nil
	}))
	return text, err
}

// eval evaluates the body of an async function in the frame.
func (f *frame) eval(body string, into any) {
	f.b.t.Helper()
	text, err := f.evaluate(awaited(body))
	var inner string
	if err == nil {
		err = json.Unmarshal([]byte(text), &inner)
	}
	if err == nil && into != nil {
		err = json.Unmarshal([]byte(inner), into)
	}
	if err != nil {
		f.b.t.Fatalf("in the frame, %.300s: %v\nthe page says: %v", body, err, f.b.complaints())
	}
}

// until waits for an expression to become true in the frame.
func (f *frame) until(expression string) {
	f.b.t.Helper()
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text, err := f.evaluate(`Boolean(` + expression + `)`)
		if text == "true" {
			return
		}
		last = fmt.Sprint(text, " ", err)
	}
	body, _ := f.evaluate(`document.body.innerText`)
	f.b.t.Fatalf("it does not become true in the frame: %s (%s)\nit shows %.600s\nthe page says: %v", expression, last, body, f.b.complaints())
}

// click presses the mouse on an element of the frame, as a person does.
func (f *frame) click(selector string) {
	f.b.t.Helper()
	f.until(`document.querySelector(` + quote(selector) + `)?.checkVisibility()`)
	var inner, outer [2]float64
	f.b.eval(f.element+`.scrollIntoView({ block: "center" }); await test.drawn(); const r = `+f.element+`.shadowRoot.querySelector("iframe").getBoundingClientRect(); return [r.x, r.y]`, &outer)
	f.eval(`const e = document.querySelector(`+quote(selector)+`); e.scrollIntoView({ block: "nearest", inline: "center" }); await test.drawn(); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]`, &inner)
	f.b.run(chromedp.MouseClickXY(outer[0]+inner[0], outer[1]+inner[1]))
}

// text is that of an element of the frame.
func (f *frame) text(selector string) (s string) {
	f.b.t.Helper()
	f.eval(`return document.querySelector(`+quote(selector)+`).textContent`, &s)
	return s
}

// start presses Start in the frame, and waits for the picture.
func (f *frame) start() {
	f.b.t.Helper()
	f.until(`document.querySelector("#load")?.disabled === false`)
	f.click("#load")
	f.drawn()
}

// drawn waits until the frame shows a finished picture and nothing runs.
func (f *frame) drawn() {
	f.b.t.Helper()
	f.until(`document.querySelector("#another")?.checkVisibility() && document.querySelector("#another").getAttribute("aria-disabled") === "false" && document.querySelector("#welcome").hidden`)
}

func (b *tab) pressTab() {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		for _, kind := range []input.KeyType{input.KeyDown, input.KeyUp} {
			if err := input.DispatchKeyEvent(kind).WithKey("Tab").WithCode("Tab").WithWindowsVirtualKeyCode(9).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// tabbed presses Tab, at most so often, until an expression of the tab is true.
func (b *tab) tabbed(most int, until string) {
	b.t.Helper()
	for range most {
		if b.is(until) {
			return
		}
		b.pressTab()
	}
	if !b.is(until) {
		b.t.Fatalf("%d times Tab does not lead to %s", most, strings.TrimSpace(until))
	}
}

// is tells whether an expression is true in the frame.
func (f *frame) is(expression string) bool {
	f.b.t.Helper()
	text, err := f.evaluate(`Boolean(` + expression + `)`)
	if err != nil {
		f.b.t.Fatal(err)
	}
	return text == "true"
}
