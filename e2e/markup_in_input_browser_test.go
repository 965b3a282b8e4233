package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// nothingCaught holds a tab to an empty trap and a silent console.
func (b *tab) nothingCaught(t *testing.T) {
	t.Helper()
	var caught []string
	b.call("markup.caught", &caught)
	for _, c := range caught {
		t.Error(c)
	}
	b.silent(t)
}

// markup are strings that would do something if they were taken for more than text.
func markup(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("testdata", "markup.txt"))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSpace(string(list)), "\n")
	if len(words) < 300 {
		t.Fatalf("only %d strings", len(words))
	}
	return words
}

// joined joins strings to texts of at most so many bytes.
func joined(words []string, most int) (list []string) {
	for _, w := range words {
		if n := len(list) - 1; n >= 0 && len(list[n])+1+len(w) <= most {
			list[n] += " " + w
		} else {
			list = append(list, w)
		}
	}
	return list
}

// loadedWithTrap opens the small model's page with the trap, and loads it.
func loadedWithTrap(t *testing.T, s *server) *tab {
	t.Helper()
	b := open(t, s.URL, options{noGPU: true, before: script("before/markup_trap.js")})
	b.loadModel()
	return b
}

// none reports strings that did not arrive as they were.
func none(t *testing.T, wrong []string) {
	t.Helper()
	for _, w := range wrong {
		t.Errorf("%.300s", w)
	}
}

// TestBrowserMarkupInInput puts markup and scripts where words are expected: in links, under
// the prompt, and in the text chunks of pictures. All of it is text.
func TestBrowserMarkupInInput(t *testing.T) {
	t.Parallel()
	words := markup(t)
	b := loadedWithTrap(t, smallSite(t))

	b.step("links", func(t *testing.T) {
		const batch = 40 // in the time of one call, also on a busy machine
		for from := 0; from < len(words); from += batch {
			var wrong []string
			b.call("markup.links", &wrong, words[from:min(from+batch, len(words))])
			none(t, wrong)
		}
		b.nothingCaught(t)
		t.Logf("%d strings through the hash, every fourth pasted or dropped too", len(words))
	})
	b.step("prompt", func(t *testing.T) {
		texts := joined(words, 380) // longer ones are not marked
		var wrong []string
		b.call("markup.prompts", &wrong, texts)
		none(t, wrong)
		b.nothingCaught(t)
		t.Logf("%d strings through the prompt, in %d texts", len(words), len(texts))
	})
	b.step("files", func(t *testing.T) { b.markupInFiles(t, words) })
	b.step("the trap", func(t *testing.T) {
		var caught []string
		b.call("markup.spring", &caught)
		if len(caught) != 4 || !strings.Contains(fmt.Sprint(caught), "policy: require-trusted-types-for") {
			t.Errorf("it has caught %q", caught)
		}
		b.complaints()
	})
}

// markupInFiles drops pictures whose text chunks have markup wherever words can stand.
func (b *tab) markupInFiles(t *testing.T, words []string) {
	var blank bytes.Buffer
	if err := png.Encode(&blank, image.NewNRGBA(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	texts := joined(words, 380)
	for i, text := range texts {
		p := engine.Parameters{Request: engine.Request{Prompt: text, Steps: 2, Size: recipe.Square(16), CFG: 1}, Model: words[i], Revision: words[i+100], Precision: words[i+50], Backend: words[i+150], Plan: words[i+200]}
		for k := range recipe.MaxTerms {
			at := (i*recipe.MaxTerms + k) % len(words)
			p.Guidance = append(p.Guidance, engine.Term{Positive: words[at], Negative: words[len(words)-1-at], Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}})
		}
		file, err := recipe.WritePNG(blank.Bytes(), p)
		if err != nil {
			t.Fatal(err)
		}
		var wrong []string
		b.call("markup.file", &wrong, words[i]+".png", base64.StdEncoding.EncodeToString(file),
			map[string]string{"prompt": text, "positive": p.Guidance[0].Positive, "model": strings.TrimSpace(p.Model)})
		none(t, wrong)
	}
	b.nothingCaught(t)
	t.Logf("%d strings through the text chunks, in %d files with %d directions each", len(words), len(texts), recipe.MaxTerms)
}
