package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestBrowserSlowManifest has model.json be slow: nobody can set what the page does not know
// yet, and what is typed by then stays.
func TestBrowserSlowManifest(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	come, once := make(chan struct{}), sync.Once{}
	release := func() { once.Do(func() { close(come) }) }
	defer release()
	s.misbehave("/models/sprites/description.json", func(w http.ResponseWriter, r *http.Request) {
		<-come
		text, err := os.ReadFile(filepath.Join(s.dir, "models", "sprites", "description.json"))
		if err != nil {
			t.Error(err)
		}
		w.Write(text)
	})
	b := open(t, s.URL, options{})
	b.until(running)
	var inert []bool
	if b.eval(`return ["guidance", "settings", "ask"].map((id) => document.getElementById(id).inert)`, &inert); !inert[0] || !inert[1] || inert[2] {
		t.Errorf("guidance, settings and prompt are inert: %v", inert)
	}
	b.field("prompt", "a green frog")
	release()
	b.until(usable + ` && !document.querySelector("#guidance").inert && !document.querySelector("#settings").inert`)
	b.eval(`document.activeElement.blur()`, nil)
	if prompt, positive := b.value("prompt"), b.value("positive"); prompt != "a green frog" || positive == "" {
		t.Errorf("the prompt is %q, the direction %q", prompt, positive)
	}
	b.silent(t)
}
