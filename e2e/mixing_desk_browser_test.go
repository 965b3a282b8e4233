package e2e

import (
	"fmt"
	"strings"
	"testing"

	"undertone/engine/recipe"
)

// TestBrowserMixingDesk switches directions off and on, and takes one away: the picture, its
// link and its file are those of the directions that are on.
func TestBrowserMixingDesk(t *testing.T) {
	t.Parallel()
	_, b := started(t, options{noGPU: true})
	b.call("controls.record", nil)
	var fine string
	b.eval(`return test.form.value("positive")`, &fine)
	one := b.canvasOf(picturePane)

	b.click("#add-direction")
	b.follows()
	if got := b.canvasOf(picturePane); got != one {
		t.Error("a direction without words changes the picture")
	}
	b.unfold()
	b.field("positive", "moon")
	b.field("weight-1", "1.5")
	b.generate() // on a busy machine nothing follows what is typed
	both := b.canvasOf(picturePane)
	b.mixes(t, "both", fine, "moon")

	// A button of a direction, counted from 1.
	mute := func(i int) {
		b.click(fmt.Sprintf(`.direction:nth-child(%d) button[aria-pressed]`, i))
		b.follows()
	}
	b.step("the second off", func(t *testing.T) {
		if mute(2); b.canvasOf(picturePane) != one {
			t.Error("the picture is another one than without that direction")
		}
		if !b.is(`document.querySelector(".direction:nth-child(2)").dataset.silent !== undefined && document.querySelector(".direction:nth-child(2) button[aria-pressed=true]") && !document.querySelector(".direction:first-child button[aria-pressed=true]")`) {
			t.Error("the row does not say that it is off")
		}
		b.mixes(t, "the first", fine)
	})
	b.step("on again", func(t *testing.T) {
		if mute(2); b.canvasOf(picturePane) != both {
			t.Error("the picture is another one than before")
		}
		b.mixes(t, "both", fine, "moon")
	})
	b.step("the first off", func(t *testing.T) {
		if mute(1); b.canvasOf(picturePane) == one || b.canvasOf(picturePane) == both {
			t.Error("the picture is that of another mixture")
		}
		b.mixes(t, "the second", "moon")
		mute(1)
	})
	b.step("both off", func(t *testing.T) {
		b.click(`[data-preset=""]`)
		b.follows()
		b.mixes(t, "none")
		if mute(2); b.is(`document.querySelector(".direction:nth-child(2)").dataset.silent !== undefined || document.querySelector(".direction:first-child").dataset.silent === undefined`) {
			t.Error("of two that are off, one alone cannot be switched on")
		}
		b.mixes(t, "the second", "moon")
		mute(1)
	})
	b.step("taken away", func(t *testing.T) {
		b.click("#remove-direction-1")
		b.follows()
		if b.canvasOf(picturePane) != one {
			t.Error("the picture is another one than without that direction")
		}
		if !b.is(`document.activeElement.id === "weight-slider"`) {
			t.Error("the focus is lost")
		}
		b.mixes(t, "the first", fine)
	})
	b.silent(t)
}

// mixes holds the link of the picture on the screen, and the file of it that is kept, to
// directions towards these words.
func (b *tab) mixes(t *testing.T, name string, words ...string) {
	t.Helper()
	towards := func(terms []recipe.Term) (list []string) {
		for _, g := range terms {
			list = append(list, g.Positive)
		}
		return list
	}
	var link string
	b.eval(`await navigator.clipboard.writeText("")`, nil)
	b.click("#copy-link")
	b.become(`await navigator.clipboard.readText() !== ""`)
	b.eval(`return navigator.clipboard.readText()`, &link)
	_, hash, _ := strings.Cut(link, "#")
	r, _, ok := recipe.FromHash("#"+hash, recipe.Request{}, recipeLimits)
	if !ok || fmt.Sprint(towards(r.Guidance)) != fmt.Sprint(words) {
		t.Errorf("%s: the link %q is of %q", name, link, towards(r.Guidance))
	}
	b.until(`document.querySelector("#keep").textContent === "Save to gallery"`) // what it says of this picture
	b.click("#keep")
	b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	if p := recipeOf(t, b.blob(`(await test.gallery.records()).at(-1).file`)); fmt.Sprint(towards(p.Guidance)) != fmt.Sprint(words) {
		t.Errorf("%s: the file is of %q", name, towards(p.Guidance))
	}
}
