package e2e

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/bits"
	"strings"
	"testing"
)

// TestBrowserFilm makes a sweep's film as MP4, stopped and gone on with, and plays it. Two
// of its pictures become a film again as WebM where the browser has no H.264, and all of
// them as an animated PNG where it cannot encode.
func TestBrowserFilm(t *testing.T) {
	t.Parallel()
	_, b := started(t, options{noGPU: true})
	shown := b.canvasOf(picturePane)
	b.click("#tab-sweep")
	b.field("sweep-from", "0")
	b.field("sweep-to", "2")
	b.field("sweep-count", "2")
	b.click("#sweep-go")
	first, last := ".sheet .tile:first-child canvas", ".sheet .tile:last-child canvas"
	b.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length === 2 && ` + idle)
	b.until(`document.querySelector("#film-go").textContent.startsWith("Make a film · 48 pictures, about ")`)
	b.call("film.watch", nil)

	b.step("stop and go on", func(t *testing.T) {
		b.call("film.stopAfter", nil, 5)
		b.until(`/^Go on with the film · ([5-9]|[1-4][0-9]) of 48$/.test(document.querySelector("#film-go").textContent) && ` + idle)
		if b.canvasOf(picturePane) != shown || b.is(`document.querySelectorAll(".sheet .tile:not([disabled])").length !== 2`) {
			t.Error("stopping took something away")
		}
		b.click("#film-go")
		b.until(`document.querySelector("#film-save")`)
	})
	b.step("MP4", func(t *testing.T) {
		b.playsFilm(t, first, last)
		samples, text := readMP4(t, b.blob(`test.film.file()`))
		if samples != 94 {
			t.Errorf("%d frames, wanted 48 there and 46 back", samples)
		}
		isFilm(t, []byte(text))
	})
	b.step("WebM", func(t *testing.T) {
		b.call("film.write", nil, first, last, map[string]any{"prompt": "a red frog", "model": "small",
			"film": map[string]float64{"direction": 0, "from": 0, "to": 2, "pictures": 48, "seconds": 4}})
		b.playsFilm(t, first, last)
		blocks, text := readWebM(t, b.blob(`test.film.file()`))
		if blocks != 94 {
			t.Errorf("%d frames, wanted 48 there and 46 back", blocks)
		}
		isFilm(t, []byte(text))
	})
	b.step("animated PNG", func(t *testing.T) {
		b.eval(`globalThis.VideoEncoder = undefined`, nil)
		b.click("#film-go")
		b.until(`document.querySelector("#film img")?.complete && ` + idle)
		var got struct {
			Count  int
			Hashes []string
		}
		b.call("film.frames", &got, []int{0, 47, 1, 93})
		if got.Count != 94 || got.Hashes[0] != b.canvasOf(first) || got.Hashes[1] != b.canvasOf(last) || got.Hashes[2] != got.Hashes[3] || got.Hashes[0] == got.Hashes[1] {
			t.Errorf("the frames are %+v", got)
		}
		file := b.blob(`test.film.file()`)
		if p := recipeOf(t, file); p.Prompt != "a red frog" || len(p.Guidance) != 1 || p.Guidance[0].Weight != 2 {
			t.Errorf("it was made from %+v", p)
		}
		_, text, _ := strings.Cut(string(file), "undertone\x00\x00\x00\x00\x00")
		isFilm(t, []byte(text))
		if !b.is(`test.film.revoked.length === 1`) {
			t.Error("the film before is still held")
		}
	})
	b.silent(t)
}

// playsFilm plays the film on the page from the first of two pictures to the last and back.
func (b *tab) playsFilm(t *testing.T, first, last string) {
	t.Helper()
	var film struct {
		Duration, Width, Height float64
		Error                   string
	}
	b.until(`document.querySelector("#film video").readyState >= 2`)
	if b.call("film.playing", &film); math.Abs(film.Duration-4) > .1 || film.Width != 16 || film.Height != 16 || film.Error != "" {
		t.Errorf("it plays as %+v", film)
	}
	for _, c := range []struct {
		seconds     float64
		near, other string
	}{{0, first, last}, {2, last, first}, {3.97, first, last}} {
		var near, other float64
		b.call("film.distance", &near, c.seconds, c.near)
		b.call("film.distance", &other, c.seconds, c.other)
		t.Logf("at %v s: %.1f and %.1f", c.seconds, near, other)
		if near > 12 || other < 2*near {
			t.Errorf("at %v s the film is %.1f from the picture that it should show, and %.1f from the other", c.seconds, near, other)
		}
	}
}

// isFilm holds what a file says of itself to the film of the test; text begins with it.
func isFilm(t *testing.T, text []byte) {
	t.Helper()
	var p struct {
		Prompt, Model string
		Film          struct{ Direction, From, To, Pictures, Seconds float64 }
	}
	if err := json.NewDecoder(strings.NewReader(string(text))).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if f := p.Film; p.Prompt != "a red frog" || p.Model == "" || f.Direction != 0 || f.From != 0 || f.To != 2 || f.Pictures != 48 || f.Seconds != 4 {
		t.Errorf("the file says %+v", p)
	}
}

// readWebM walks the elements of a WebM file, each of which must end where the next
// begins. It counts the blocks, and returns the tag that says what made the film.
func readWebM(t *testing.T, data []byte) (blocks int, text string) {
	t.Helper()
	inner := map[uint64]bool{0x1a45dfa3: true, 0x18538067: true, 0x1549a966: true, 0x1654ae6b: true, 0xae: true, 0xe0: true, 0x1254c367: true, 0x7373: true, 0x67c8: true, 0x1c53bb6b: true, 0xbb: true, 0xb7: true, 0x1f43b675: true}
	number := func(keep bool) (n uint64) {
		if len(data) == 0 || data[0] == 0 {
			t.Fatal("an element is cut off")
		}
		size := bits.LeadingZeros8(data[0]) + 1
		for i, c := range data[:size] {
			if i == 0 && !keep {
				c &= 0xff >> size
			}
			n = n<<8 | uint64(c)
		}
		data = data[size:]
		return n
	}
	name := ""
	for len(data) > 0 {
		id, size := number(true), number(false)
		if uint64(len(data)) < size {
			t.Fatalf("element %x has %d bytes, the file %d more", id, size, len(data))
		}
		if inner[id] {
			continue
		}
		switch content := string(data[:size]); id {
		case 0xa3:
			blocks++
		case 0x45a3:
			name = content
		case 0x4487:
			if name == "UNDERTONE" {
				text = content
			}
		}
		data = data[size:]
	}
	return blocks, text
}

// readMP4 walks the boxes of an MP4 file, each of which must end where the next begins. It
// counts the samples, which must fill the media data, and returns the tag that says what
// made the film.
func readMP4(t *testing.T, data []byte) (samples int, text string) {
	t.Helper()
	var sizes, at, media, begin int
	before := map[string]int{"moov": 0, "trak": 0, "mdia": 0, "minf": 0, "dinf": 0, "stbl": 0, "udta": 0, "ilst": 0, "----": 0, "meta": 4, "stsd": 8, "dref": 8, "avc1": 78}
	var walk func(part []byte, offset int)
	walk = func(part []byte, offset int) {
		for len(part) > 0 {
			if len(part) < 8 || int(binary.BigEndian.Uint32(part)) > len(part) || binary.BigEndian.Uint32(part) < 8 {
				t.Fatalf("at %d a box of %x goes on beyond its end", offset, part[:min(8, len(part))])
			}
			size := int(binary.BigEndian.Uint32(part))
			name, content := string(part[4:8]), part[8:size]
			if skip, ok := before[name]; ok {
				walk(content[skip:], offset+8+skip)
			}
			switch name {
			case "stsz":
				for i := 12; i < len(content); i += 4 {
					sizes += int(binary.BigEndian.Uint32(content[i:]))
					samples++
				}
			case "stco":
				at = int(binary.BigEndian.Uint32(content[8:]))
			case "mdat":
				begin, media = offset+8, len(content)
			case "data": // the last one is the project's own
				text = string(content[8:])
			}
			part, offset = part[size:], offset+size
		}
	}
	walk(data, 0)
	if at != begin || sizes != media {
		t.Errorf("%d bytes of samples at %d, and the media are %d at %d", sizes, at, media, begin)
	}
	return samples, text
}
