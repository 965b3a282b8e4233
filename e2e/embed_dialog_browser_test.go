package e2e

import (
	escapeHTML "html"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserEmbedDialog gives the page's picture to other pages: the lines to copy are of
// that picture, and the element beside them is what these lines make.
func TestBrowserEmbedDialog(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s, b := started(t, options{})
	b.click("#embed")
	b.until(`document.querySelector("#embed-dialog")?.open && document.querySelector("#embed-dialog undertone-demo").shadowRoot`)
	code := b.text("#embed-code")
	for _, want := range []string{`<script type="module" src="` + s.URL + `/element.js"></script>`, `<undertone-demo prompt="a red frog" seed="`, ` poster="undertone-a-red-frog-`, `href="` + s.URL + `/#prompt=a+red+frog&amp;seed=`} {
		if !strings.Contains(code, want) {
			t.Errorf("the code is\n%s\nwithout %s", code, want)
		}
	}
	var shown map[string]string
	b.until(`document.querySelector("#embed-dialog undertone-demo").shadowRoot.querySelector("img").naturalWidth > 0`)
	b.eval(`return Object.fromEntries(Array.from(document.querySelector("#embed-dialog undertone-demo").attributes, ({ name, value }) => [name, value]))`, &shown)
	for name, value := range shown {
		if name != "poster" && !strings.Contains(code, " "+name+`="`+escapeHTML.EscapeString(value)+`"`) {
			t.Errorf("the preview has %s=%q, the code\n%s", name, value, code)
		}
	}
	if len(shown) < 4 {
		t.Errorf("the preview has %q", shown)
	}
	b.step("copy", func(t *testing.T) {
		var copied string
		b.click("#embed-copy")
		b.until(`document.querySelector("#embed-dialog [role=status]").textContent === "Copied."`)
		if b.eval(`return navigator.clipboard.readText()`, &copied); copied != code {
			t.Errorf("on the clipboard is %q", copied)
		}
		b.eval(`document.querySelector("[name=embed-kind][value=markdown]").click()`, nil)
		if got := b.text("#embed-code"); !strings.HasPrefix(got, "[![a red frog](<undertone-a-red-frog-") || !strings.Contains(got, "("+s.URL+"/#prompt=") {
			t.Errorf("for a README: %s", got)
		}
	})
	// Without the frame, which tests of the embed hold to the rules.
	b.run(chromedp.Evaluate(script+";0", nil))
	var broken []string
	b.eval(`const { violations } = await axe.run("#embed-dialog", { iframes: false, resultTypes: ["violations"] });
		return violations.map(({ id, nodes }) => id + ": " + nodes[0].html)`, &broken)
	if len(broken) != 0 {
		t.Errorf("the dialog: %q", broken)
	}
	b.step("open", func(t *testing.T) {
		b.eval(`document.querySelector("#embed-dialog undertone-demo").load()`, nil)
		b.until(`document.querySelector("#embed-dialog undertone-demo").shadowRoot.querySelector("iframe")?.contentDocument?.querySelector("#caption")?.textContent === "“a red frog”"`)
	})
	b.keys(kb.Escape)
	b.until(`!document.querySelector("#embed-dialog").open && !document.querySelector("undertone-demo") && document.activeElement.id === "embed"`)
	b.silent(t)
}
