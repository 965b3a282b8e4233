package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestBrowserEarly has the line be slow: nobody can set what the page does not know yet,
// and what is typed by then stays.
func TestBrowserEarly(t *testing.T) {
	s := smallSite(t)
	come, once := make(chan struct{}), sync.Once{}
	release := func() { once.Do(func() { close(come) }) }
	defer release()
	s.misbehave("/models/sprites/model.json", func(w http.ResponseWriter, r *http.Request) {
		<-come
		text, err := os.ReadFile(filepath.Join(s.dir, "models", "sprites", "model.json"))
		if err != nil {
			t.Error(err)
		}
		w.Write(text)
	})
	b := open(t, s.URL, options{})
	b.until(`document.documentElement.dataset.state === "running"`)
	var inert []bool
	if b.eval(`return ["guidance", "settings", "ask"].map((id) => document.getElementById(id).inert)`, &inert); !inert[0] || !inert[1] || inert[2] {
		t.Errorf("guidance, settings and prompt are inert: %v", inert)
	}
	b.field("prompt", "a green frog")
	release()
	b.until(`document.querySelector("#load")?.disabled === false && !document.querySelector("#guidance").inert && !document.querySelector("#settings").inert`)
	b.eval(`document.activeElement.blur(); for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)`, nil)
	var prompt, positive string
	b.eval(`return document.querySelector("#prompt").value`, &prompt)
	if b.eval(`return document.querySelector("#positive").value`, &positive); prompt != "a green frog" || positive == "" {
		t.Errorf("the prompt is %q, the direction %q", prompt, positive)
	}
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %q", wrong)
	}
}
