package engine_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms says who may import whom: for each package, the packages of this module
// and the other modules that it may name (a module covers its packages). The
// standard library is free to all, but for syscall/js. A room ending in /… covers
// the packages beneath it too, but for those that have a narrower line.
var rooms = map[string]string{
	"engine/fault":       "",
	"guidance":           "",
	"lab":                "engine/recipe guidance engine/fault",
	"shaders":            "",
	"engine/tinyjson":    "",
	"engine/op":          "engine/fault",
	"engine/quant":       "engine/op",
	"engine/cpu":         "engine/cpu/simd engine/op engine/quant engine/fault",
	"engine/cpu/simd":    "",
	"engine/testing/ops": "engine/op engine/quant engine/fault",
	"engine/sample":      "engine/op engine/fault",
	"engine/dit":         "engine/op engine/fault",
	"engine/vae":         "engine/op engine/fault",
	"engine/judge":       "engine/op engine/fault",
	"engine/text":        "engine/op engine/recipe engine/fault github.com/rivo/uniseg github.com/sugarme/tokenizer golang.org/x/text",
	"engine/weights":     "engine/op engine/quant engine/recipe engine/sample engine/tinyjson engine/fault",
	"engine/gpu":         "engine/op engine/quant engine/fault shaders github.com/cogentcore/webgpu",
	// Published files → what the loaders of dit, text and vae ask for, without knowing them.
	"engine/checkpoint": "engine/op engine/fault engine/weights",
	// The engine receives its Backend: it knows no machine.
	"engine":                  "engine/op engine/fault engine/recipe engine/weights engine/checkpoint engine/text engine/dit engine/vae engine/judge engine/sample guidance",
	"engine/testing/networks": "engine engine/judge engine/testing/scale engine/tinyjson engine/conform engine/conform/twin engine/recipe engine/op engine/quant engine/fault engine/weights engine/text engine/dit engine/vae engine/sample guidance",
	// Files of published shapes, of what the loaders ask for.
	"engine/testing/scale":   "engine engine/checkpoint engine/dit engine/op engine/quant engine/text engine/vae engine/weights",
	"engine/recipe":          "engine/fault engine/tinyjson guidance",
	"engine/conform/twin":    "engine/op engine/weights",
	"engine/conform":         "engine/conform/twin engine engine/recipe engine/op engine/fault engine/weights engine/checkpoint engine/text engine/dit engine/vae engine/sample guidance",
	"engine/testing/mutants": "",
	"wasm/protocol":          "engine/recipe engine/fault guidance",
	"wasm/promise":           "",
	"wasm/host":              "",
	// The page stands on the JavaScript API: what it knows of a model is told to it. Its
	// features share app, ui and words and do not know of each other; the page arranges
	// them.
	"wasm/page/words":   "engine/recipe engine/tinyjson",
	"wasm/page/ui":      "honnef.co/go/js/dom/v2",
	"wasm/page/app":     "wasm/page/ui wasm/page/words " + told,
	"wasm/page/apptest": "wasm/page/words engine/recipe",
	"wasm/page/…":       "wasm/page/app wasm/page/ui wasm/page/words " + told,
	"wasm/page":         "wasm/page/… " + told,
	"wasm/page/embed":   "wasm/page/… " + told, // another arrangement
	"wasm/page/main":    "wasm/page wasm/page/embed wasm/page/ui honnef.co/go/js/dom/v2",
	// These construct the machines. Nothing imports them.
	"wasm/engine":          "wasm/host wasm/promise wasm/protocol wasm/engine/transfer engine engine/recipe engine/op engine/fault engine/weights engine/checkpoint engine/cpu engine/cpu/simd engine/gpu",
	"wasm/engine/transfer": "",
	"wasm/bench":           "engine engine/op engine/quant engine/fault engine/weights engine/cpu engine/cpu/simd engine/gpu",
	// The Lab stands on the JavaScript API as the page does.
	"wasm/lab":       "lab wasm/lab/words wasm/page/ui wasm/promise engine/recipe engine/fault guidance",
	"wasm/lab/words": "lab engine/recipe", // in its tests alone
	"cmd/…":          "cmd/… lab engine engine/conform engine/recipe engine/sample engine/op engine/fault engine/weights engine/checkpoint engine/cpu guidance github.com/andybalholm/brotli github.com/chromedp/chromedp github.com/chromedp/cdproto github.com/yuin/goldmark",
	// Writes for another engine what the loaders here read.
	"cmd/bench/onnx": "engine/op engine/quant engine/sample engine/weights engine/dit engine/text engine/vae",
	// Its only Go files are the tests that drive a browser.
	"e2e": "engine engine/recipe guidance lab wasm/protocol github.com/andybalholm/brotli",
}

// inTests may be imported by tests, beside what their package may: the cases,
// the truth to compare with, the networks to make small models of, and the
// browsers to drive.
const inTests = "engine/checkpoint engine/conform engine/conform/twin engine/testing/ops engine/testing/networks engine/testing/scale engine/cpu engine/cpu/simd engine/op engine/fault engine/weights engine/dit engine/text engine/vae github.com/chromedp/chromedp github.com/chromedp/cdproto github.com/gobwas/ws golang.org/x/image"

// told is what the page may know of what it asks for and shows.
const told = "wasm/protocol wasm/promise wasm/host engine/recipe engine/tinyjson engine/fault guidance honnef.co/go/js/dom/v2"

const module = "undertone/"

// broken returns what is wrong with a file at this path (from the module's root,
// with slashes) that imports these packages.
func broken(file string, imports []string) (wrong []string) {
	dir, name := path.Dir(file), path.Base(file)
	allowed, ok := rooms[dir]
	for beneath := dir; !ok && beneath != "."; beneath = path.Dir(beneath) {
		allowed, ok = rooms[beneath+"/…"]
	}
	if !ok {
		return []string{fmt.Sprintf("%s: package %s has no line in the table of who may import whom", file, dir)}
	}
	test := strings.HasSuffix(name, "_test.go")
	if test && allowed != "" { // rooms of the standard library alone are tested with it alone
		allowed += " " + inTests
	}
	js := strings.HasSuffix(strings.TrimSuffix(strings.TrimSuffix(name, ".go"), "_test"), "_js")
	for _, p := range imports {
		switch {
		case p == "syscall/js":
			if !strings.HasPrefix(dir+"/", "wasm/") && !(js && (dir == "engine/gpu" || dir == "engine/cpu/simd")) {
				wrong = append(wrong, fmt.Sprintf("%s imports syscall/js: only wasm/, engine/gpu/*_js.go and engine/cpu/simd/*_js.go may", file))
			}
		case strings.HasPrefix(p, "github.com/cogentcore/") && !(dir == "engine/gpu" && js):
			wrong = append(wrong, fmt.Sprintf("%s imports %s: only engine/gpu/*_js.go may", file, p))
		case p == "encoding/json" && small(dir) && !test:
			wrong = append(wrong, fmt.Sprintf("%s imports encoding/json, which would be a tenth of the page's program: engine/tinyjson reads and writes JSON there", file))
		case !strings.HasPrefix(p, module) && !strings.Contains(strings.Split(p, "/")[0], "."):
			// the standard library
		case test && p == module+dir:
			// the package under test, from beside it
		case test && p == module+"wasm/page/apptest" && strings.HasPrefix(dir, "wasm/page/"):
			// what tests of the page share
		case test && dir == "engine/gpu" && (p == module+"engine" || p == module+"engine/recipe"):
			// whole pictures, to see what an operation's rounding does to them
		case !covers(strings.Fields(allowed), strings.TrimPrefix(p, module)):
			wrong = append(wrong, fmt.Sprintf("%s imports %s; %s may import: %s", file, p, dir, allowed))
		}
	}
	return wrong
}

// small reports whether a package is one that the page's program, which is loaded before
// there is anything to see, reads and writes JSON with.
func small(dir string) bool {
	return strings.HasPrefix(dir+"/", "wasm/page/") || dir == "engine/recipe"
}

// covers reports whether one of the allowed entries is p, or a module or a
// room with … that p lies in.
func covers(allowed []string, p string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		beneath, deep := strings.CutSuffix(a, "/…")
		deep = deep || strings.Contains(strings.Split(a, "/")[0], ".")
		return p == a || deep && (p == beneath || strings.HasPrefix(p, beneath+"/"))
	})
}

// Every Go file of the repository, for whatever machine it is meant, keeps to
// the table.
func TestWhoMayImportWhom(t *testing.T) {
	files := 0
	sources(t, func(file string, text []byte) {
		if path.Ext(file) != ".go" {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		var imports []string
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Error(err)
			}
			imports = append(imports, p)
		}
		for _, w := range broken(file, imports) {
			t.Error(w)
		}
		files++
	})
	if files < 50 {
		t.Errorf("only %d Go files found", files)
	}
}

// importCases are imports that a file may have, and others that it may not.
var importCases = []struct {
	file, imports string
	ok            bool
}{
	{"guidance/blend.go", "math fmt", true},
	{"guidance/blend.go", "undertone/engine/fault", false},
	{"guidance/example_test.go", "undertone/guidance fmt", true},
	{"guidance/blend_test.go", "undertone/engine/cpu", false},
	{"shaders/shaders.go", "embed", true},
	{"shaders/shaders.go", "golang.org/x/text/width", false},
	{"engine/fault/fault.go", "undertone/engine/op", false},
	{"engine/op/op.go", "undertone/engine/fault", true},
	{"engine/op/op.go", "undertone/engine/cpu", false},
	{"engine/op/op.go", "undertone/engine/quant", false},
	{"engine/quant/q8_0.go", "undertone/engine/op", true},
	{"engine/quant/q8_0.go", "undertone/engine/fault", false},
	{"engine/op/op_test.go", "undertone/engine/cpu", true},
	{"engine/cpu/cpu.go", "undertone/engine/weights", false},
	{"engine/checkpoint/view.go", "undertone/engine/weights", true},
	{"engine/checkpoint/config.go", "undertone/engine/dit", false},
	{"engine/checkpoint/config_test.go", "undertone/engine/dit", true},
	{"engine/dit/flux.go", "undertone/engine/gpu", false},
	{"engine/dit/flux.go", "undertone/engine/text", false},
	{"engine/text/clip.go", "github.com/sugarme/tokenizer/model/bpe", true},
	{"engine/text/clip.go", "github.com/sugarme/tokenizers", false},
	{"engine/dit/flux.go", "github.com/sugarme/tokenizer", false},
	{"engine/gpu/lower.go", "undertone/shaders", true},
	{"engine/gpu/lower.go", "syscall/js", false},
	{"engine/gpu/lower.go", "github.com/cogentcore/webgpu/wgpu", false},
	{"engine/gpu/device_js.go", "github.com/cogentcore/webgpu/wgpu syscall/js", true},
	{"engine/gpu/device_js_test.go", "github.com/cogentcore/webgpu/wgpu syscall/js", true},
	{"engine/cpu/yield_js.go", "syscall/js", false},
	{"engine/cpu/vector.go", "undertone/engine/cpu/simd unsafe", true},
	{"engine/cpu/simd/module_js.go", "syscall/js", true},
	{"engine/cpu/simd/simd.go", "syscall/js", false},
	{"engine/cpu/simd/simd.go", "undertone/engine/op", false},
	{"wasm/engine/main_js.go", "github.com/cogentcore/webgpu/wgpu", false},
	{"wasm/engine/main_js.go", "syscall/js undertone/engine/gpu undertone/wasm/protocol", true},
	{"wasm/engine/main_js.go", "honnef.co/go/js/dom/v2", false},
	{"wasm/engine/main_js.go", "undertone/wasm/page", false},
	{"wasm/page/main/main_js.go", "honnef.co/go/js/dom/v2 undertone/wasm/page", true},
	{"wasm/page/main/main_js.go", "undertone/engine/gpu", false},
	{"wasm/page/session/session_js.go", "encoding/json", false},
	{"wasm/page/words/words_test.go", "encoding/json", true},
	{"engine/recipe/offer.go", "encoding/json", false},
	{"engine/recipe/recipe_test.go", "encoding/json", true},
	{"wasm/engine/main_js.go", "encoding/json", true},
	{"wasm/page/page_js.go", "syscall/js undertone/engine/recipe undertone/wasm/protocol honnef.co/go/js/dom/v2", true},
	{"wasm/page/model.go", "undertone/engine", false},
	{"wasm/page/page_js.go", "undertone/wasm/page/panel undertone/wasm/page/app", true},
	{"wasm/page/panel/prompt_js.go", "undertone/engine/weights", false},
	{"wasm/page/panel/prompt_js.go", "undertone/wasm/page/app undertone/wasm/page/ui undertone/wasm/page/words", true},
	{"wasm/page/panel/prompt_js.go", "undertone/wasm/page/stage", false},
	{"wasm/page/panel/prompt_js.go", "undertone/wasm/page", false},
	{"wasm/page/panel/prompt.go", "undertone/wasm/page/apptest", false},
	{"wasm/page/panel/prompt_test.go", "undertone/wasm/page/apptest", true},
	{"wasm/page/app/app_js.go", "undertone/wasm/page/panel", false},
	{"wasm/page/app/model_test.go", "undertone/engine", false},
	{"wasm/page/ui/dom_js.go", "undertone/wasm/page/app", false},
	{"wasm/page/words/words.go", "undertone/wasm/page/ui", false},
	{"wasm/protocol/protocol.go", "undertone/engine", false},
	{"engine/engine.go", "undertone/engine/vae undertone/guidance", true},
	{"engine/engine.go", "undertone/engine/cpu", false},
	{"engine/engine.go", "undertone/engine/gpu", false},
	{"engine/engine.go", "undertone/shaders", false},
	{"engine/engine.go", "undertone/wasm/protocol", false},
	{"engine/gpu/some_test.go", "undertone/engine undertone/engine/recipe", true},
	{"engine/gpu/some.go", "undertone/engine", false},
	{"engine/engine_test.go", "undertone/engine/cpu undertone/engine/testing/ops", true},
	{"cmd/undertone/main.go", "undertone/engine/cpu undertone/cmd/undertone/internal/site", true},
	{"cmd/undertone/main.go", "undertone/engine/gpu", false},
	{"cmd/undertone/conform.go", "undertone/engine/conform undertone/engine/cpu", true},
	{"engine/conform/conform.go", "undertone/engine/cpu", false},
	{"cmd/undertone/main.go", "undertone/wasm/protocol", false},
	{"engine/new/room.go", "fmt", false},
}

// The rule itself catches what it is there to catch.
func TestHouseRuleCatches(t *testing.T) {
	for _, c := range importCases {
		if got := broken(c.file, strings.Fields(c.imports)); (len(got) == 0) != c.ok {
			t.Errorf("%s importing %s: %q", c.file, c.imports, got)
		}
	}
}
