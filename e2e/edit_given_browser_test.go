package e2e

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
)

// startsWithPhoto drops a picture before Start, which alone does not edit it.
func (b *tab) startsWithPhoto(t *testing.T) {
	b.ready()
	b.dropped("photo.jpg", photo(t))
	b.until(`document.querySelector("#edit-with canvas")?.width === 40`)
	if b.loadModel(); b.text("#note") != "The model is loaded." || !b.is(`document.querySelector("`+picturePane+`").width === 40`) {
		t.Errorf("Start alone has edited the picture, or it says %q", b.text("#note"))
	}
}

// whileDrawing evaluates what brings something from elsewhere while a picture is made, and waits
// until the page says that it waits for that.
func (b *tab) whileDrawing(brings string) {
	b.t.Helper()
	b.call("controls.record", nil)
	b.call("controls.hold", nil)
	b.pressGenerate()
	b.until(`document.querySelector("#stop").checkVisibility()`)
	b.eval(brings, nil)
	b.until(`document.querySelector("#note").textContent === "This waits for what is running now; stop that to go on at once."`)
	b.call("controls.letGo", nil)
}

// photo is a JPEG of another shape than the model's pictures.
func photo(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for i := range img.Pix {
		img.Pix[i] = byte(7 * i)
	}
	img.Set(0, 0, color.White)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, nil); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// editsDropped edits a picture of another shape than the model's.
func (b *tab) editsDropped(t *testing.T) {
	before := b.canvasOf(picturePane)
	drop := func() {
		b.click("#tab-compare")
		b.dropped("photo.jpg", photo(t))
		b.until(`document.querySelector("#edit-with canvas").width === 40`)
	}
	drop()
	if b.canvasOf(picturePane) != b.canvasOf("#edit-with canvas") || !b.is(`document.querySelector("`+picturePane+`").checkVisibility() && document.activeElement.id === "prompt" && !document.querySelector("#edit").checkVisibility()`) {
		t.Error("the dropped picture is not large on the stage, the focus not in the prompt, or there are buttons of another picture")
	}
	if says := b.text(".drop"); !strings.Contains(says, "picture to edit it") {
		t.Errorf("while it is dragged the page says %q", says)
	}
	b.click("#undo")
	b.until(`document.querySelector("#edit-with canvas").width === 16 && document.querySelector("#edit").checkVisibility()`)
	if b.canvasOf(picturePane) != before {
		t.Error("undo does not bring back the last picture")
	}
	drop()
	b.field("prompt", "at night")
	b.generate()
	if b.is(`document.querySelector("` + picturePane + `").width === 40`) {
		t.Error("the stage goes on showing the picture to edit")
	}
	if says := b.text("#notices"); says != "Of the picture to edit, the middle was taken, which has the right shape." {
		t.Errorf("of what was cut, it says %q", says)
	}
}

// opensWhileDrawing drops a picture with its settings while another is made: both are there then.
func (b *tab) opensWhileDrawing(t *testing.T) {
	file := withRecipe(t, 16, 16, "a red frog")
	b.whileDrawing(`test.form.dropFiles([["frog.png", ` + quote(base64.StdEncoding.EncodeToString(file)) + `]])`)
	b.restored("a red frog")
	if b.text("#times") != "Opened from a file." || !b.is(idle) {
		t.Errorf("the dropped picture is not shown: %q", b.text("#times"))
	}
	b.click("#undo")
	b.until(`document.querySelector("#prompt").value === "at night"`)
	shown := b.canvasOf(picturePane)
	b.field("seed", "99")
	b.follows()
	b.whileDrawing(`document.querySelector(".session .tile:nth-last-child(2)").click()`)
	b.until(idle)
	b.until(`document.querySelector("#seed").value !== "99"`)
	if b.canvasOf(picturePane) != shown || b.is(undrawn) {
		t.Error("a picture of the session that is chosen while another is made is not shown")
	}
}

// asksForReference opens the file of an edit, in which the picture that was edited is not.
func (b *tab) asksForReference(t *testing.T) {
	b.click("#keep")
	b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	file := b.blob(`(await test.gallery.records()).at(-1).file`)
	limits := recipeLimits
	limits.Edits = true
	p, _, err := recipe.FromPNG(file, engine.Request{}, limits, nil)
	if err != nil || p.Reference == nil || p.Reference.Width != 40 {
		t.Fatalf("the file names the reference %+v, %v", p.Reference, err)
	}
	b.click("#edit-end")
	b.until(`!document.querySelector("#edit-with").checkVisibility()`)
	b.asks("What should the picture show?", "Leave it empty, and the model draws what it likes.", "Generate")
	b.dropped("edit.png", file)
	b.until(`document.querySelector("#edit-with").checkVisibility() && !document.querySelector("#edit-with canvas").checkVisibility()`)
	b.pressGenerate()
	b.until(`document.querySelector("#note").textContent === document.querySelector("#edit-hint").textContent`)
	if b.is(`document.querySelector("#note").checkVisibility() || document.activeElement.id !== "edit-choose"`) {
		t.Error("that the picture is not here stands twice, or the focus is not where it is chosen")
	}
	b.dropped("another.png", file)
	b.until(`document.querySelector("#edit-with canvas").checkVisibility()`)
	b.generate()
	if says := b.text("#notices"); says != "This is another picture than the one that was edited before." {
		t.Errorf("of another picture, it says %q", says)
	}

	b.click("#keep") // which was edited from one that is in the gallery
	b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	file = b.blob(`(await test.gallery.records()).at(-1).file`)
	var link string
	b.eval(`navigator.clipboard.writeText = async (text) => { globalThis.link = text; }`, nil)
	b.click("#copy-link")
	b.until(`document.querySelector("#action-note").textContent.startsWith("Link copied.")`)
	b.eval(`return link`, &link)
	b.click("#edit-end")
	b.until(`!document.querySelector("#edit-with").checkVisibility()`)
	b.dropped("edit.png", file)
	b.until(`document.querySelector("#note").textContent === "The picture that was edited was found in your gallery. Press Edit to edit it again."`)
	b.until(`document.querySelector("#edit-with canvas").checkVisibility()`)
	b.generate()
	if says := b.text("#notices"); says != "" {
		t.Errorf("of the picture from the gallery, it says %q", says)
	}

	b.click("#edit-end")
	b.call("form.pasteIntoPrompt", nil, link)
	b.until(`document.querySelector("#edit-hint").checkVisibility() && document.querySelector("#note").textContent.startsWith("This link is an edit: ")`)
	b.asks("What should change?", "Left empty, only directions change the picture.", "Edit")
	if b.value("prompt") != "at night" || b.text("#edit-choose") != "Choose that picture …" {
		t.Errorf("of the link, it asks for %q and offers %q", b.value("prompt"), b.text("#edit-choose"))
	}
}
