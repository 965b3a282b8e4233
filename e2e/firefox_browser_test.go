package e2e

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"undertone/engine"
	"undertone/engine/testing/networks"
)

// TestBrowserFirefox uses the page with the shipped model in Debian's Firefox, which
// has no WebGPU there: from the keyboard alone to a picture on the CPU, and saves it.
func TestBrowserFirefox(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.prelude = ""
	downloads := t.TempDir()
	f := openFirefox(t, s.URL, saveIn(downloads))
	f.until(onCPU)
	for n := 0; f.focused() != "load-cpu"; n++ {
		if n == 20 {
			t.Fatal("twenty presses of Tab do not lead to the button that loads the model")
		}
		f.press(keyTab)
	}
	f.press(keyEnter)
	f.until(idle)
	if device := f.text("#device"); device != "CPU" {
		t.Errorf("the device is called %q", device)
	}
	f.field("prompt", "a red frog in a meadow at night")
	f.field("seed", "3405691582")
	f.field("steps", "1")
	f.generate()
	p := f.save(downloads).isNative(t, folderOf(t, convertedShipped))
	if p.Prompt != "a red frog in a meadow at night" || p.Seed != 3405691582 || p.Steps != 1 || p.Backend != "cpu" {
		t.Errorf("the file says it is %+v", p)
	}
	if c := f.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

// TestBrowserFirefoxSettings has Firefox keep nothing, blur what is read from a
// canvas, and open a private window: the page makes the picture all the same, and
// the file that it saves has its very pixels.
func TestBrowserFirefoxSettings(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.prelude = ""
	for name, c := range map[string]struct {
		preference, value string
		told              string // what Firefox itself writes into the console, whatever the page catches
	}{
		"cookies blocked":      {"network.cookie.cookieBehavior", "2", "Failed to register/update a ServiceWorker"},
		"resistFingerprinting": {"privacy.resistFingerprinting", "true", ""},
		"private window":       {"browser.privatebrowsing.autostart", "true", ""},
	} {
		t.Run(name, func(t *testing.T) {
			downloads := t.TempDir()
			f := openFirefox(t, s.URL, saveIn(downloads).and(c.preference, c.value))
			f.until(onCPU)
			f.click("#load-cpu")
			f.until(idle)
			f.field("prompt", "the red frog at night")
			f.generate()
			f.save(downloads).isNative(t, smallModel(t))
			for _, complaint := range f.complaints() {
				if c.told == "" || !strings.HasPrefix(complaint, c.told) {
					t.Errorf("the console has %q", complaint)
				}
			}
		})
	}
}

// TestBrowserFirefoxGPU has Firefox draw on Vulkan in software, which its WebGPU
// takes where it is told to: its compiler of WGSL (naga) is another one than
// Chromium's.
func TestBrowserFirefoxGPU(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.prelude = ""
	f := openFirefox(t, s.URL+"/blank.html", preferences{"dom.webgpu.enabled": "true", "gfx.webgpu.ignore-blocklist": "true", "dom.webgpu.workers.enabled": "true"},
		"VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json")
	var r struct {
		Devices, Apart, Colours int
		Same                    map[string]bool
		Again                   bool
	}
	f.call("host.compareDevices", &r)
	if r.Devices != 2 || !r.Same["webgpu"] || !r.Same["cpu"] {
		t.Errorf("weight 0 is no guidance, and another weight is: %+v", r)
	}
	if r.Colours < 20 || r.Apart > 1 {
		t.Errorf("the GPU's picture has %d colours and is %d of 255 apart from the CPU's", r.Colours, r.Apart)
	}
	t.Logf("the GPU's picture is %d of 255 apart from the CPU's", r.Apart)
	if c := f.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

// TestBrowserFirefoxOffline stops the server: the page comes up again, and draws
// what it drew before.
func TestBrowserFirefoxOffline(t *testing.T) {
	t.Parallel()
	smallModel(t)
	h := newHost(t, folderOf(t, smallDist))
	f := openFirefox(t, h.site(), nil)
	draw := func() (hash string) {
		f.until(onCPU)
		f.click("#load-cpu")
		f.until(idle)
		f.call("host.cpuPicture", &hash)
		return hash
	}
	f.until(isKept)
	before := draw()
	h.stop()
	h.asked()
	f.navigate(h.site())
	if after := draw(); after != before {
		t.Error("without a network it is another picture")
	}
	if asked := h.asked(); len(asked) != 0 {
		t.Errorf("the server, which is stopped, answered %v", asked)
	}
}

// TestBrowserFirefoxOpen opens published files, chosen and by their addresses, in a browser
// that lets no page write into a folder: it says how to make a bundle.
func TestBrowserFirefoxOpen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	networks.WriteSD3(t, folder)
	s, places := publishedSite(t, folder)
	s.prelude = ""
	f := openFirefox(t, s.URL, nil)
	f.until(onCPU)
	f.click("#open-model")
	f.chooseFiles("#opener-file-input", filepath.Join(folder, "decoders", "vae.safetensors"), filepath.Join(folder, "tokenizer", "vocab.json"), filepath.Join(folder, "tokenizer", "merges.txt"))
	for i, p := range except(places, "decoders/", "tokenizer") {
		f.call("form.type", nil, "opener-address", p[1])
		f.eval(`document.querySelector("#opener-address").focus()`, nil)
		f.press(keyEnter)
		f.until(`document.querySelectorAll("#opener .chosen li").length === ` + quote(4+i))
	}
	f.until(loadable)
	f.click("#opener-load")
	f.until(idle + ` && document.querySelector("#edition").textContent.includes("sd3-medium")`)
	f.eval(`test.form.choose("size", "32")`, nil)
	f.field("steps", "1")
	f.generate()
	var colours int
	f.eval(`return new Set(new Uint32Array(test.pixels(document.querySelector(`+quote(picturePane)+`)).buffer)).size`, &colours)
	if colours < 20 {
		t.Errorf("the picture has %d colours", colours)
	}
	f.until(`document.querySelector("#save-model").checkVisibility()`)
	if says := f.text("#save-model"); !strings.Contains(says, "undertone convert") {
		t.Errorf("of saving it says %q", says)
	}
	if c := f.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

// saveIn has downloads saved in a folder, without a question.
func saveIn(folder string) preferences {
	return preferences{"browser.download.folderList": "2", "browser.download.dir": strconv.Quote(folder)}
}

// and adds a preference.
func (p preferences) and(name, value string) preferences {
	p[name] = value
	return p
}

// saved is a PNG file.
type saved []byte

// save presses Save and waits for the file.
func (f *firefox) save(folder string) saved {
	f.t.Helper()
	f.click("#save")
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(folder, "*.png"))
		if err != nil {
			f.t.Fatal(err)
		}
		for _, name := range files {
			// While it is written, its last name lies there empty.
			if data, err := os.ReadFile(name); err == nil && bytes.Contains(data, []byte("IEND")) {
				return data
			}
		}
	}
	f.t.Fatalf("Save has saved nothing\nthe page says: %v", f.complaints())
	return nil
}

// isNative fails the test unless the native tool, given the parameters that the file
// carries, makes the same pixels from the model in the folder.
func (file saved) isNative(t *testing.T, model string) engine.Parameters {
	t.Helper()
	p := recipeOf(t, file)
	terms, err := json.Marshal(p.Guidance)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	guidance, out := filepath.Join(dir, "guidance.json"), filepath.Join(dir, "native.png")
	write(t, guidance, string(terms))
	if err := commands(exec.Command(built(t, "undertone"), "generate", model, "-o", out, "--prompt", p.Prompt, "--guidance", guidance,
		"--seed", strconv.Itoa(int(p.Seed)), "--steps", strconv.Itoa(p.Steps), "--size", p.Size.String(), "--cfg", strconv.FormatFloat(p.CFG, 'g', -1, 64))); err != nil {
		t.Fatal(err)
	}
	native, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, want := pixels(t, file), pixels(t, native)
	if got.Rect != want.Rect {
		t.Fatalf("the picture is %v, the native tool's %v", got.Rect, want.Rect)
	}
	differ, most := 0, 0
	for i, x := range got.Pix {
		d := max(int(x), int(want.Pix[i])) - min(int(x), int(want.Pix[i]))
		most = max(most, d)
		if d > 0 {
			differ++
		}
	}
	t.Logf("of %d values %d differ from the native tool's, by %d at most", len(got.Pix), differ, most)
	if most > 1 {
		t.Errorf("of %d values %d differ from the native tool's, by up to %d", len(got.Pix), differ, most)
	}
	return p
}

func pixels(t *testing.T, file []byte) *image.NRGBA {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(picture.Bounds())
	for y := out.Rect.Min.Y; y < out.Rect.Max.Y; y++ {
		for x := out.Rect.Min.X; x < out.Rect.Max.X; x++ {
			out.Set(x, y, picture.At(x, y))
		}
	}
	return out
}

// Keys as WebDriver names them.
const (
	keyTab     = "\ue004"
	keyEnter   = "\ue006"
	keyControl = "\ue009"
)

func (f *firefox) focused() (id string) {
	f.t.Helper()
	f.eval(`return document.activeElement.id`, &id)
	return id
}

func (f *firefox) text(selector string) (s string) {
	f.t.Helper()
	f.eval(`return document.querySelector(`+quote(selector)+`).textContent`, &s)
	return s
}

// field types over what a field holds.
func (f *firefox) field(id, value string) {
	f.t.Helper()
	f.eval(`const e = document.getElementById(`+quote(id)+`); e.focus(); e.select()`, nil)
	for _, key := range strings.Split(value, "") {
		f.press(key)
	}
}

// generate presses Ctrl+Enter and waits for the end.
func (f *firefox) generate() {
	f.t.Helper()
	f.call("form.countAnswers", nil)
	f.press(keyControl, keyEnter)
	f.until(`test.answers > 0 && ` + idle)
}

// click presses the mouse on an element, wherever the page has it.
func (f *firefox) click(selector string) {
	f.t.Helper()
	var at struct{ X, Y float64 }
	f.call("form.middle", &at, selector)
	f.send("input.performActions", map[string]any{"context": f.tab, "actions": []any{map[string]any{
		"type": "pointer", "id": "mouse", "actions": []map[string]any{
			{"type": "pointerMove", "x": int(at.X), "y": int(at.Y)}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}},
	}}}, nil)
}
