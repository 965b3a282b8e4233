package page

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readsBack are the ways to get pixels out of a canvas, or through one. Some browsers
// answer them with noise on purpose.
var readsBack = regexp.MustCompile(`getImageData|toBlob|toDataURL|convertToBlob|transferToImageBitmap|createImageBitmap|readPixels|captureStream|VideoFrame`)

// allowed are the files that may do one of these, where no picture passes through a canvas:
// a film's frames are made of a picture's own bytes, and of a saved comparison only the
// captions are drawn. The element's own method has the name of a canvas's. Pictures to edit
// that are no PNG have no other way; noise in them is a slightly other picture. So it is in
// the small pictures of the Lab's contact sheet, which are looked at and never measured.
var allowed = map[string][]string{"machine_js.go": {"toDataURL"}, "film.js": {"VideoFrame"}, "comparison.js": {"getImageData"}, "element.js": {"toBlob"}, "reference.js": {"createImageBitmap", "getImageData"}}

// TestNoCanvasIsReadBack holds all code that the browser is served to its own pixels.
func TestNoCanvasIsReadBack(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../web/*.js", "../../*.html", "../*/*.go", "../*/*/*.go", "../../engine/gpu/*_js.go"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(list), err)
		}
		files = append(files, list...)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range readsBack.FindAllString(string(text), -1) {
			if !slices.Contains(allowed[filepath.Base(file)], found) {
				t.Errorf("%s asks for %s", file, found)
			}
		}
	}
	if !readsBack.MatchString(`canvas.Call("toDataURL")`) {
		t.Error("nothing would be found")
	}
}
