package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// probed is a picture with and without looking on, and what was seen.
type probed struct {
	Plain, Probed, One made
	Tokens             []struct{ Text, Kind string }
	Padding            int
	Times, NormY       []float64
	Blocks             []struct {
		Kind      string
		NormShift float64
	}
	Modulation           []struct{ Block int }
	Attention, Alone     []float64
	Words                []int
	Rows, Cols, Drawn    int
	Latents              [][2]int
	Timings              struct{ ProbeMs float64 }
	Keys                 []string
	Wrong                []fault
	Known, Parameterless bool
}

// TestBrowserProbe looks on through the API, on WebGPU and on the CPU.
func TestBrowserProbe(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{})
	maps := map[string][]float64{}
	for _, device := range []string{"webgpu", "cpu"} {
		var got probed
		b.call("probe.generate", &got, device)
		if got.Plain.Hash != got.Probed.Hash || got.Plain.Hash != got.One.Hash {
			t.Errorf("%s: looking on changed the picture", device)
		}
		if got.Known || !got.Parameterless || got.Timings.ProbeMs <= 0 {
			t.Errorf("%s: a probe where nobody asked (%t), or in the parameters, or for %g ms", device, got.Known, got.Timings.ProbeMs)
		}
		if text := fmt.Sprint(got.Tokens); text != "[{ start} {the word} {red word} {frog word} {at word} {night word} { end}]" || got.Padding != 2 {
			t.Errorf("%s: tokens %s and %d of padding", device, text, got.Padding)
		}
		if len(got.Times) != 4 || len(got.NormY) != 3 || len(got.Blocks) != 6 || len(got.Modulation) != 12 || got.Blocks[5].Kind != "head" {
			t.Errorf("%s: %+v", device, got)
		}
		for l, v := range got.Blocks {
			if (v.NormShift != 0) != (l >= 3 && l < 5) {
				t.Errorf("%s: guidance from block 3 on shifts block %d by %g", device, l, v.NormShift)
			}
		}
		got.checkAttention(t, device)
		if len(got.Latents) != 4 || got.Latents[0] != [2]int{4, 4} || got.Drawn != 4 {
			t.Errorf("%s: latents %v, %d different ones", device, got.Latents, got.Drawn)
		}
		for i, f := range got.Wrong {
			if f.Code != "request-invalid" || f.Advice == "" {
				t.Errorf("%s: wrong probe %d: %+v", device, i, f)
			}
		}
		if last := got.Wrong[5]; !strings.Contains(last.Message, "7") || !strings.Contains(last.Message, "0 to 6") {
			t.Errorf("%s: it says %q", device, last.Message)
		}
		maps[device] = got.Attention
	}
	for i, a := range maps["webgpu"] {
		if c := maps["cpu"][i]; a-c > 1e-3 || c-a > 1e-3 {
			t.Fatalf("attention %d is %g on WebGPU, %g on the CPU", i, a, c)
		}
	}
	b.silent(t)
}

// checkAttention checks that the maps are shares of attention, and that of one word the same.
func (got probed) checkAttention(t *testing.T, device string) {
	t.Helper()
	const cells, blocks, words = 4, 5, 7
	if len(got.Attention) != 3*blocks*words*cells || got.Rows != 2 || got.Cols != 2 || len(got.Words) != words {
		t.Fatalf("%s: %d numbers for %v", device, len(got.Attention), got.Words)
	}
	for i := range 3 * blocks {
		for c := range cells {
			sum := 0.0
			for w := range words {
				a := got.Attention[(i*words+w)*cells+c]
				if a < 0 || a > 1 {
					t.Fatalf("%s: attention %g", device, a)
				}
				sum += a
			}
			if sum <= 0 || sum > 1 {
				t.Errorf("%s: a cell gives %g of 1 to the words", device, sum)
			}
			if got.Alone[i*cells+c] != got.Attention[(i*words+3)*cells+c] {
				t.Errorf("%s: token 3 alone has another map", device)
			}
		}
	}
}

// probeView is what the page shows of a picture's inside.
type probeView struct {
	Tokens, Kinds   []string
	Rows, Latents   int
	Parts, Numbers  int
	Chosen, Caption string
	Over, Map       string
	Pressed         int
	Turn, Percent   string
	Picture         shown
	Overflow        int
}

// check compares the view of "a red frog, blurple at night" with its picture.
func (inside probeView) check(t *testing.T, picture shown) {
	t.Helper()
	if got := strings.Join(inside.Kinds, " "); got != "start word word word word unknown word word end" || inside.Tokens[3] != "frog" || inside.Tokens[5] != "blurple" {
		t.Errorf("tokens %q of the kinds %s", inside.Tokens, got)
	}
	if inside.Rows != 6 || inside.Pressed != 0 || inside.Parts != 6 || inside.Numbers != 6*7 {
		t.Errorf("the view has %+v", inside)
	}
	if inside.Picture.Hash != picture.Hash || inside.Picture.Width != picture.Width {
		t.Errorf("the view shows %v, the picture is %v", inside.Picture, picture)
	}
	if !strings.Contains(inside.Percent, "%") || strings.Contains(inside.Percent, "NaN") || strings.Contains(inside.Turn, "NaN") || strings.Contains(inside.Caption, "NaN") {
		t.Errorf("numbers are missing in %q, %q, %q", inside.Percent, inside.Turn, inside.Caption)
	}
}

// TestBrowserProbeView looks at the page's view of a picture's inside.
func TestBrowserProbeView(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true})
	b.loadModel()
	b.field("prompt", "a red frog, blurple at night")
	b.lean()
	b.generate()
	picture := b.canvas(0)

	const visible = `document.querySelector(".how ol:not([hidden])") !== null`
	b.run(chromedp.Click("#tab-how", chromedp.ByQuery))
	b.until(visible)
	var inside probeView
	look := func() {
		t.Helper()
		b.call("probe.view", &inside)
	}
	look()
	inside.check(t, picture)

	b.step("word", func(t *testing.T) {
		was := inside
		b.eval(`document.querySelector('.how .token input[value="2"]').focus()`, nil)
		b.run(chromedp.KeyEvent(" "))
		b.until(`document.querySelector(".attention figcaption").textContent.includes("“red”")`)
		look()
		if !strings.HasPrefix(inside.Chosen, "red") || inside.Map == was.Map {
			t.Errorf("after red was chosen, %q is, and the map is the same: %t", inside.Chosen, inside.Map == was.Map)
		}
		b.run(chromedp.KeyEvent(kb.ArrowRight))
		b.until(`document.querySelector(".attention figcaption").textContent.includes("“frog”")`)
	})
	b.step("block", func(t *testing.T) {
		look()
		was := inside
		b.eval(`[...document.querySelectorAll(".how .maps button")].at(-1).click()`, nil)
		b.until(`document.querySelector(".attention figcaption").textContent.includes("Block 4")`)
		look()
		if inside.Pressed != 5 || inside.Over == was.Over || inside.Map != was.Map {
			t.Errorf("the last block was chosen: %+v, before: %+v", inside, was)
		}
	})
	b.step("language", func(t *testing.T) {
		b.call("form.speak", nil, "zh-Hans")
		b.until(`document.querySelector(".attention figcaption").textContent.includes("第 4 层")`)
		look()
		if inside.Chosen == "" || inside.Pressed != 5 {
			t.Errorf("another language chooses %q and row %d", inside.Chosen, inside.Pressed)
		}
		b.call("form.speak", nil, "en")
	})
	b.step("another picture", func(t *testing.T) {
		b.field("prompt", "the blue house")
		b.field("seed", "4")
		b.generate()
		b.run(chromedp.Click("#tab-how", chromedp.ByQuery))
		b.until(visible + ` && document.querySelectorAll(".how .token").length === 5`)
		look()
		if inside.Picture.Hash == picture.Hash {
			t.Error("another picture has the old inside")
		}
	})
	b.step("no guidance", func(t *testing.T) {
		b.eval(`document.querySelector('[data-preset=""]').click()`, nil)
		b.generate()
		b.run(chromedp.Click("#tab-how", chromedp.ByQuery))
		b.until(`document.querySelector(".how .vector figcaption").textContent.includes("No guidance")`)
	})
	b.run(chromedp.EmulateViewport(320, 700))
	if look(); inside.Overflow > 0 {
		t.Errorf("on a narrow phone the page is %d pixels too wide", inside.Overflow)
	}
	b.silent(t)
}
