package e2e

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
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

// withRecipe is a PNG of that size that holds parameters.
func withRecipe(t *testing.T, w, h int, prompt string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	file, err := recipe.WritePNG(b.Bytes(), engine.Parameters{Request: engine.Request{
		Prompt: prompt, Steps: 2, Size: recipe.Square(16), CFG: 1,
		Guidance: []engine.Term{{Positive: "night", Weight: 3, Schedule: guidance.Schedule{Kind: "constant"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestBrowserDragAndDrop: whatever is dropped, the page says what became of it, and says it of
// nothing else.
func TestBrowserDragAndDrop(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/?utm_source=letter&fbclid=IwAR0", options{noGPU: true, before: script("before/canvas_noise.js")})
	b.until(`document.querySelector("#no-webgpu")?.checkVisibility()`)
	good := withRecipe(t, 16, 16, "a red frog")
	b.dropped("good.png", good)
	b.restored("a red frog")
	if says := b.text(".drop"); strings.Contains(says, "edit") || !strings.Contains(says, "settings") {
		t.Errorf("while it is dragged over a model that does not edit, the page says %q", says)
	}

	b.step("no picture of ours", func(t *testing.T) { b.dropsWithoutRecipe(t, good) })
	b.step("a folder", func(t *testing.T) {
		b.drag(t.TempDir()) // which could be a model
		b.until(dialogOpen + ` && document.querySelector("#opener-fault").textContent.includes("is empty")`)
		b.eval(`document.querySelector("#opener-close").click()`, nil)
	})
	b.step("several", func(t *testing.T) { b.dropsSeveral(t, good) })
	b.step("a picture that cannot be shown", func(t *testing.T) { b.dropsUnshowable(t) })
	b.step("links", func(t *testing.T) {
		b.dropped("good.png", good)
		b.restored("a red frog")
		b.eval(`document.querySelector("#copy-link").click()`, nil)
		b.until(`globalThis.copiedText !== undefined`)
		var link string
		if b.eval(`return copiedText`, &link); !strings.HasPrefix(link, s.URL+"/#prompt=a+red+frog&") {
			t.Errorf("the link is %q", link)
		}
		b.dropped("x.png", []byte("GIF89a"))
		b.until(`test.form.alert().includes("kind GIF")`)
		b.eval(`document.querySelector("#weight").value = ""; location.hash = "`+link[strings.Index(link, "#"):]+`).\u3002>"`, nil)
		b.until(`test.form.note() === "Filled in from the link. Nothing runs by itself." && test.form.alert() === ""`)
		if weight := b.value("weight"); weight != "3" {
			t.Errorf("the weight is %q", weight)
		}
	})
	b.silent(t)
}

// dropsWithoutRecipe drops what holds no parameters.
func (b *tab) dropsWithoutRecipe(t *testing.T, good []byte) {
	var blank bytes.Buffer
	if err := png.Encode(&blank, image.NewNRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	for words, file := range map[string][]byte{
		"is empty": {}, "kind GIF": []byte("GIF89a"), "kind JPEG": []byte("\xff\xd8\xff\xe0"), "kind WebP": []byte("RIFF....WEBPVP8 "),
		"no parameters": blank.Bytes(), "not a PNG": bytes.Repeat([]byte("x"), 100),
	} {
		b.dropped("x.png", file)
		b.refusedDrop(t, good, words)
	}
	for n, words := range map[int]string{32 << 20: "not a PNG", 32<<20 + 1: "at most 33.6 MB are possible"} {
		b.call("form.dropZeros", nil, n)
		b.refusedDrop(t, good, words)
	}
	b.call("form.dropLink", nil, "https://example.org/a.jpg")
	b.refusedDrop(t, good, "neither a file nor a link")
	b.call("form.dropVanishedFile", nil)
	b.refusedDrop(t, good, "could not be read")
}

// dropsSeveral drops a folder and files, of which one is taken.
func (b *tab) dropsSeveral(t *testing.T, good []byte) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a folder"), filepath.Join(dir, "bad.png"), filepath.Join(dir, "good.png"), filepath.Join(dir, "more.png")}
	if err := os.Mkdir(paths[0], 0o755); err != nil {
		t.Fatal(err)
	}
	for i, file := range [][]byte{[]byte("GIF89a"), withRecipe(t, 16, 16, "a car"), withRecipe(t, 16, 16, "a house")} {
		if err := os.WriteFile(paths[i+1], file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.drag(paths...)
	b.restored("a car")
	if note := b.text("#note"); !strings.Contains(note, "Of 4 files, “good.png” was used") {
		t.Errorf("it says %q", note)
	}
	b.dropped("a.png", []byte("GIF89a"), "b.png", []byte{})
	b.refusedDrop(t, good, "kind GIF")
}

// dropsUnshowable drops pictures whose parameters can be read, and whose pixels cannot be shown.
func (b *tab) dropsUnshowable(t *testing.T) {
	for prompt, c := range map[string]struct {
		w, h  int
		words string
	}{
		"as wide as can be": {4096, 1, ""}, "wider": {4097, 1, "4097 × 1 pixels"}, "higher": {1, 4097, "1 × 4097 pixels"},
	} {
		b.dropped("x.png", withRecipe(t, c.w, c.h, prompt))
		b.restored(prompt)
		if note := b.text("#note"); !strings.Contains(note, c.words) || (c.words == "") != !strings.Contains(note, "picture itself") {
			t.Errorf("%s: it says %q", prompt, note)
		}
	}
	huge := withRecipe(t, 1, 1, "a hundred megapixels")
	binary.BigEndian.PutUint32(huge[16:], 10000)
	binary.BigEndian.PutUint32(huge[20:], 10000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	b.dropped("x.png", huge)
	b.restored("a hundred megapixels")
	if note := b.text("#note"); !strings.Contains(note, "10000 × 10000 pixels") {
		t.Errorf("it says %q", note)
	}
	damaged := withRecipe(t, 16, 16, "a scratch")
	damaged[len(damaged)-20] ^= 1
	b.dropped("x.png", damaged)
	b.restored("a scratch")
	if note := b.text("#note"); !strings.Contains(note, "is damaged") {
		t.Errorf("it says %q", note)
	}
}

// restored waits until the page says that it has the settings of a picture of this prompt.
func (b *tab) restored(prompt string) {
	b.t.Helper()
	b.until(`document.querySelector("#prompt").value === ` + quote(prompt) + ` && test.form.note().startsWith("These are the settings of that picture") && test.form.alert() === ""`)
}

// refusedDrop waits for the fault, which stands there alone, and drops a good picture.
func (b *tab) refusedDrop(t *testing.T, good []byte, words string) {
	t.Helper()
	b.until(`test.form.alert().includes("picture-invalid") && test.form.alert().includes(` + quote(words) + `)`)
	if note := b.text("#note"); note != "" {
		t.Errorf("beside the fault it says %q", note)
	}
	b.dropped("good.png", good)
	b.restored("a red frog")
}
