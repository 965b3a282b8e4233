package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"undertone/engine/testing/networks"
)

// States of the dialog that opens models.
const (
	dialogOpen = `document.querySelector("#opener").open`
	found      = `document.querySelector("#opener-status").textContent.startsWith("Found")`
	loadable   = `document.querySelector("#opener-load").getAttribute("aria-disabled") === "false"`
)

// chooses puts a folder to what is chosen in the dialog.
func (b *tab) chooses(folder string) {
	b.t.Helper()
	b.run(chromedp.SetUploadFiles("#opener-folder-input", []string{folder}, chromedp.ByQuery))
}

// models are the choices of the model that the page offers, before or after loading.
func (b *tab) models(name string) (list []string) {
	b.t.Helper()
	b.call("drawn", nil)
	b.eval(`return Array.from(document.querySelectorAll('[name="`+name+`"]'), (i) => i.parentNode.textContent)`, &list)
	return list
}

// TestBrowserOpenModel opens published files as a person does who has them: in several
// goes, with a mistake, by hand and by mouse; keeps them, and does without them.
func TestBrowserOpenModel(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sd3 := networks.WriteSD3(t, folder)
	flux := filepath.Join(t.TempDir(), "Small FLUX.1")
	networks.WriteFlux(t, flux)
	transformer := filepath.Join(folder, "sd3", "sd3_medium.safetensors")
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true, before: script("before/forbid_dialogs.js")})
	rules := axe(t)
	b.loadModel()
	b.field("prompt", "a frog")

	b.step("by the keyboard", func(t *testing.T) { b.opensByKeyboard(t, s) })
	b.step("what is missing", func(t *testing.T) {
		b.opensParts(t, sd3[0], filepath.Join(flux, "transformer"))
	})
	b.rules(t, rules, "parts")
	b.step("dropped", func(t *testing.T) { b.opensDropped(t, sd3[1:]...) })
	b.rules(t, rules, "a whole model")
	b.step("it cannot be loaded", func(t *testing.T) { b.opensMoved(t, transformer) })
	b.step("kept", func(t *testing.T) { b.keeps(t, sd3[0]) })
	b.step("another day", func(t *testing.T) { b.opensKept(t) })
	b.silent(t)
}

// opensByKeyboard goes into the dialog, out of it and in again, and types addresses.
func (b *tab) opensByKeyboard(t *testing.T, s *server) {
	b.focus("open-another")
	begun := dialogOpen + ` && document.activeElement.id === "opener-files"`
	b.keys(kb.Enter)
	b.until(begun)
	b.keys(kb.Escape)
	b.until(`!` + dialogOpen + ` && document.activeElement.id === "open-another"`)
	b.keys(kb.Enter)
	b.until(begun)
	b.field("opener-address", "ftp://example.org/x.gguf")
	b.keys(kb.Enter)
	b.until(`document.querySelector("#opener-status").textContent.includes("not the address")`)
	b.field("opener-address", s.URL+"/none.gguf")
	b.keys(kb.Enter)
	b.until(`document.querySelector("#opener-fault").textContent.includes("http-status")`)
	b.eval(`document.querySelector("#opener .chosen button").click()`, nil)
	b.until(`document.querySelector("#opener-fault .alert").hidden && document.activeElement.id === "opener-files"`)
}

// opensParts chooses a transformer alone, then with that of another family.
func (b *tab) opensParts(t *testing.T, transformer, other string) {
	b.chooses(transformer)
	b.until(found)
	missing := b.text("#opener-missing")
	for _, want := range []string{"Text encoder CLIP-L", "clip_g.safetensors", "ComfyUI/models/text_encoders", "Decoder", "T5 XXL (optional)"} {
		if !strings.Contains(missing, want) {
			t.Errorf("%q is not in %q", want, missing)
		}
	}
	b.eval(`document.querySelector("#opener-load").click(); await test.drawn()`, nil)
	if !b.is(dialogOpen) || b.is(loadable) || b.text("#opener-why") == "" {
		t.Error("it can be loaded without its parts, or does not say why not")
	}
	b.chooses(other)
	b.until(`document.querySelector("#opener-fault").textContent.includes("parts-mixed")`)
	b.eval(`document.querySelectorAll("#opener .chosen button")[1].click()`, nil)
	b.until(found)
}

// opensDropped drops the folders with what is missing.
func (b *tab) opensDropped(t *testing.T, paths ...string) {
	b.eval(`document.querySelector("#opener-close").click()`, nil)
	b.drag(paths...)
	b.until(dialogOpen + ` && ` + loadable)
	text := b.text("#opener .found")
	for _, want := range []string{"Text encoder CLIP-G", "Decoder · AutoencoderKL", "sd3_medium.safetensors", "BF16", "Stability AI", "A picture of 64 × 64"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
}

// opensMoved has a file moved away after it was looked at: the former model, the picture
// and the prompt are still there.
func (b *tab) opensMoved(t *testing.T, transformer string) {
	picture := b.canvasOf(picturePane)
	moved := transformer + " moved"
	if err := os.Rename(transformer, moved); err != nil {
		t.Fatal(err)
	}
	b.eval(`document.querySelector("#opener-load").click()`, nil)
	b.until(`test.form.alert().includes("files-gone") && document.querySelector("#load-cpu").checkVisibility()`)
	if got := b.value("prompt"); got != "a frog" || b.canvasOf(picturePane) != picture {
		t.Errorf("the prompt is %q, or the picture is gone", got)
	}
	if list := b.models("weights-before"); len(list) > 1 {
		t.Errorf("the models are %q", list)
	}
	b.click("#load-cpu") // the former model
	b.until(idle)
	if err := os.Rename(moved, transformer); err != nil {
		t.Fatal(err)
	}
}

// keeps opens the model and keeps it.
func (b *tab) keeps(t *testing.T, transformer string) {
	b.click("#open-another")
	b.eval(`document.querySelector("#opener .chosen button").click()`, nil)
	b.until(`!(` + loadable + `)`) // what was chosen before is still there, and is read again
	b.chooses(transformer)
	b.until(loadable)
	b.eval(`document.querySelector("#opener-keep").click(); document.querySelector("#opener-load").click()`, nil)
	b.until(`!` + dialogOpen + ` && ` + idle + ` && document.querySelectorAll('[name="weights-after"]').length === 2`)
	if list := b.models("weights-after"); !strings.Contains(list[1], "Stable Diffusion 3 medium · sd3-medium, kept here") {
		t.Errorf("the models are %q", list)
	}
	b.field("steps", "1")
	b.call("form.choose", nil, "size", "32")
	b.generate()
	b.eval(`document.querySelector("#copy-link").click()`, nil)
	b.until(`document.querySelector("#action-note").textContent.includes("cannot carry the model")`)
}

// opensKept opens what is kept, without its files, makes the same picture, and deletes it.
func (b *tab) opensKept(t *testing.T) {
	picture := b.canvasOf(picturePane)
	b.run(chromedp.Reload())
	b.ready()
	b.until(`document.querySelectorAll('[name="weights-before"]').length === 2`)
	b.until(`test.form.note().includes("Stable Diffusion 3 medium was from your own files")`)
	b.eval(`document.querySelectorAll('[name="weights-before"]')[1].click()`, nil)
	b.until(`document.querySelector("#edition").textContent.includes("sd3-medium") && document.querySelector("#load-cpu").checkVisibility()`)
	b.click("#load-cpu")
	b.until(idle)
	b.field("steps", "1")
	b.call("form.choose", nil, "size", "32")
	b.field("prompt", "a frog")
	b.generate()
	if b.canvasOf(picturePane) != picture {
		t.Error("the picture is another one")
	}
	b.eval(`document.querySelector("#storage").open = true; document.querySelector('[data-address^="stored:"]').click()`, nil)
	b.until(`!document.querySelector('[data-address^="stored:"]')`)
	b.eval(`document.querySelectorAll('[name="weights-after"]')[0].click()`, nil)
	b.until(idle + ` && document.querySelectorAll('[name="weights-after"]').length === 1`)
}
