package e2e

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"undertone/engine"
	"undertone/engine/recipe"
)

// States of the page, as expressions.
const (
	running = `document.documentElement.dataset.state === "running"`
	usable  = `document.querySelector("#load")?.disabled === false`
	onCPU   = `document.querySelector("#load-cpu") && !document.querySelector("#no-webgpu").hidden && !document.querySelector("#load-cpu").disabled`
	idle    = `document.querySelector("#generate").getAttribute("aria-disabled") === "false"`
	noAlert = `document.querySelector("#alert .alert").hidden`
)

// picturePane is the canvas that shows the picture.
const picturePane = "#pane-picture .picture canvas"

var panes = []string{"picture", "compare", "sweep", "steps", "gallery", "how"}

// shown is what is on a canvas.
type shown struct {
	Width, Height, Colours int
	Hash                   string
}

// canvas is what is on the i-th canvas of the page.
func (b *tab) canvas(i int) (s shown) {
	b.t.Helper()
	b.call("canvas", &s, i)
	return s
}

// canvasOf is what is on a canvas, by its selector, once everything is drawn.
func (b *tab) canvasOf(selector string) (hash string) {
	b.t.Helper()
	b.call("drawn", nil)
	b.call("canvasHash", &hash, selector)
	return hash
}

// ready waits until the model can be loaded: on the CPU in a browser without a GPU.
func (b *tab) ready() {
	b.t.Helper()
	if b.options.noGPU {
		b.until(onCPU)
	} else {
		b.until(usable)
	}
}

// loadModel presses Start, as soon as it can be pressed, and waits until the model is there
// and the first picture is drawn, without guidance.
func (b *tab) loadModel() {
	b.t.Helper()
	b.ready()
	if b.options.noGPU {
		b.click("#load-cpu")
	} else {
		b.click("#load")
	}
	b.until(idle)
}

// lean presses the model's first preset, and waits for the picture that follows.
func (b *tab) lean() {
	b.t.Helper()
	b.click(`[data-preset="` + b.preset() + `"]`)
	b.follows()
}

// follows waits until the picture is that of the form.
func (b *tab) follows() {
	b.t.Helper()
	b.settle()
	b.until(`!(` + undrawn + `)`)
}

// unfold opens what is behind Advanced.
func (b *tab) unfold() {
	b.t.Helper()
	b.eval(`document.querySelector("#advanced").open = true`, nil)
}

// field sets a field as a person does who replaces its text.
func (b *tab) field(id, value string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible("#"+id, chromedp.ByQuery), chromedp.Focus("#"+id, chromedp.ByQuery), chromedp.Evaluate(`document.activeElement.select?.()`, nil),
		chromedp.ActionFunc(input.InsertText(value).Do))
}

// generate presses Ctrl+Enter and waits for the end: until the API has answered, well
// or badly, what was asked for after the press, and the page shows it. (What stands in
// the page alone does not tell: a picture may be made between two frames, and a note
// may be that of the picture before.)
func (b *tab) generate() {
	b.t.Helper()
	b.run(chromedp.Evaluate(`document.querySelector("#alert .alert:not([hidden]) .square")?.click()`, nil))
	b.until(noAlert)
	b.call("form.countAnswers", nil)
	b.pressGenerate()
	b.until(`test.answers > 0`)
	b.call("drawn", nil)
	b.until(idle)
}

func (b *tab) pressGenerate() {
	b.t.Helper()
	b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
}

func (b *tab) text(selector string) (s string) {
	b.t.Helper()
	b.eval(`return document.querySelector(`+quote(selector)+`).textContent`, &s)
	return s
}

// is tells whether an expression is true.
func (b *tab) is(expression string) (yes bool) {
	b.t.Helper()
	b.eval(`return Boolean(`+expression+`)`, &yes)
	return yes
}

// value is what a field shows.
func (b *tab) value(id string) (s string) {
	b.t.Helper()
	b.call("drawn", nil)
	b.call("form.value", &s, id)
	return s
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery))
}

// press presses the button with that text, which must be in view.
func (b *tab) press(text string) {
	b.t.Helper()
	b.until(`test.form.button(` + quote(text) + `)`)
	b.eval(`test.form.button(`+quote(text)+`).click()`, nil)
}

// keys presses keys, one after the other.
func (b *tab) keys(list ...string) {
	b.t.Helper()
	for _, k := range list {
		b.run(chromedp.KeyEvent(k))
	}
}

// preset is the id of the model's first preset.
func (b *tab) preset() (id string) {
	b.t.Helper()
	b.eval(`return document.querySelectorAll("[data-preset]")[1].dataset.preset`, &id)
	return id
}

// dropped drops files, by their names.
func (b *tab) dropped(files ...any) {
	b.t.Helper()
	var list [][2]string
	for i := 0; i < len(files); i += 2 {
		list = append(list, [2]string{files[i].(string), base64.StdEncoding.EncodeToString(files[i+1].([]byte))})
	}
	b.call("form.dropFiles", nil, list)
}

// drag drops what lies at these paths, as from the system's file manager.
func (b *tab) drag(paths ...string) {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
		for _, kind := range []input.DispatchDragEventType{input.DragEnter, input.DragOver, input.Drop} {
			if err := input.DispatchDragEvent(kind, 100, 100, data).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// silent fails the test for everything that the console has.
func (b *tab) silent(t *testing.T) {
	t.Helper()
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %.500q", wrong)
	}
}

// blob is the content of a Blob, by an expression.
func (b *tab) blob(expression string) []byte {
	b.t.Helper()
	var file string
	b.eval(`return test.base64(`+expression+`)`, &file)
	return b.decoded(file)
}

func (b *tab) decoded(file string) []byte {
	b.t.Helper()
	data, err := base64.StdEncoding.DecodeString(file)
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// recipeLimits are those of the small model, and the size of the shipped one's pictures.
var recipeLimits = recipe.Limits{MaxSteps: 50, Sizes: []recipe.Size{recipe.Square(16), recipe.Square(24), recipe.Square(256)}, Blocks: 57}

// recipeOf are the parameters in a picture's file, which must be complete.
func recipeOf(t *testing.T, file []byte) engine.Parameters {
	t.Helper()
	p, notices, err := recipe.FromPNG(file, engine.Request{}, recipeLimits, nil)
	if err != nil || len(notices) != 0 {
		t.Fatalf("the file's parameters: %+v, %v, %v", p, notices, err)
	}
	return p
}
