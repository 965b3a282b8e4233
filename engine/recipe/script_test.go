package recipe

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/guidance"
)

// job is what web/png.js is asked for, and answer what it gives; see testdata/png.mjs.
type job struct {
	Work       string `json:"work"`
	Width      int    `json:"width,omitempty"`
	Height     int    `json:"height,omitempty"`
	Data       []byte `json:"data,omitempty"`
	File       []byte `json:"file,omitempty"`
	Most       int    `json:"most,omitempty"`
	Parameters any    `json:"parameters,omitempty"`
}

type answer struct {
	Type, Error     string
	Width, Height   int
	File, Now, Data []byte
}

// scripted runs web/png.js under Node, once for all jobs.
func scripted(t *testing.T, jobs []job) []answer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node: install it to hold web/png.js to Go's image/png")
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(node, filepath.Join("testdata", "png.mjs"))
	c.Stdin, c.Stderr = bytes.NewReader(in), os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []answer
	if err := json.Unmarshal(out, &list); err != nil || len(list) != len(jobs) {
		t.Fatalf("%d answers to %d jobs: %v", len(list), len(jobs), err)
	}
	return list
}

// pixelsOf are the bytes of an image, R, G, B and A.
func pixelsOf(m image.Image) []byte {
	b := m.Bounds()
	out := image.NewNRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.Set(x, y, m.At(x, y))
		}
	}
	return out.Pix
}

func encoded(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scenes are pictures that are flat, smooth, noisy, transparent, and of odd sizes.
func scenes(t *testing.T) map[string]*image.NRGBA {
	random := rand.New(rand.NewPCG(1, 2))
	paint := func(w, h int, at func(x, y int) color.NRGBA) *image.NRGBA {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				m.SetNRGBA(x, y, at(x, y))
			}
		}
		return m
	}
	file, err := os.Open(filepath.Join("..", "..", "docs", "images", "phone.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	photo, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	shown := image.NewNRGBA(image.Rect(0, 0, 256, 256))
	draw.Draw(shown, shown.Bounds(), photo, photo.Bounds().Min, draw.Src)
	return map[string]*image.NRGBA{
		"one pixel": paint(1, 1, func(int, int) color.NRGBA { return color.NRGBA{1, 2, 3, 255} }),
		"flat":      paint(64, 64, func(int, int) color.NRGBA { return color.NRGBA{200, 100, 50, 255} }),
		"smooth":    paint(256, 256, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), uint8((x + y) / 2), 255} }),
		"noise": paint(97, 33, func(int, int) color.NRGBA {
			return color.NRGBA{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), 255}
		}),
		"transparent": paint(31, 57, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x * 8), uint8(y * 4), 77, uint8(x * y)} }),
		"photo":       shown,
	}
}

// TestScriptEncodes: the files of web/png.js are PNGs of the very pixels, hold the
// parameters as this package writes and reads them, and are about as small as Go's.
func TestScriptEncodes(t *testing.T) {
	parameters := made
	parameters.Guidance = []Term{{Positive: "naïve 画", Negative: "flat", Weight: -2.25, Head: 0.5, Schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}}
	var given map[string]any
	if err := json.Unmarshal(JSON(parameters), &given); err != nil {
		t.Fatal(err)
	}
	given["later"] = "is not written"
	var names []string
	var jobs []job
	all := scenes(t)
	for name, m := range all {
		names = append(names, name)
		jobs = append(jobs, job{Work: "encode", Width: m.Rect.Dx(), Height: m.Rect.Dy(), Data: m.Pix, Parameters: given})
	}
	for i, a := range scripted(t, jobs) {
		name, m := names[i], all[names[i]]
		if a.Error != "" || a.Type != "image/png" {
			t.Fatalf("%s: %s, of the type %q", name, a.Error, a.Type)
		}
		for way, file := range map[string][]byte{"compressed": a.File, "at once": a.Now} {
			got, err := png.Decode(bytes.NewReader(file))
			if err != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			} else if got.Bounds() != m.Bounds() || !bytes.Equal(pixelsOf(got), m.Pix) {
				t.Errorf("%s, %s: other pixels", name, way)
			}
		}
		if p, notices, err := FromPNG(a.File, base, limits, nil); err != nil || len(notices) != 0 || !reflect.DeepEqual(p, parameters) {
			t.Errorf("%s: %+v, %v, %v", name, p, notices, err)
		}
		if bytes.Contains(a.File, []byte("later")) {
			t.Errorf("%s: a field that makes no picture is in the file", name)
		}
		ours, goes := len(a.File)-len(JSON(parameters)), len(encoded(t, m))
		t.Logf("%s: %d bytes beside the parameters, Go's %d", name, ours, goes)
		if ours > goes*105/100+100 {
			t.Errorf("%s takes %d bytes, Go's %d", name, ours, goes)
		}
	}
}

// TestScriptDecodes: web/png.js reads every kind of PNG as Go does.
func TestScriptDecodes(t *testing.T) {
	var names []string
	var files [][]byte
	add := func(name string, file []byte) { names, files = append(names, name), append(files, file) }
	for name, m := range scenes(t) {
		add(name, encoded(t, m))
	}
	source := scenes(t)["transparent"]
	for name, m := range map[string]draw.Image{
		"gray":           image.NewGray(source.Rect),
		"gray of 16":     image.NewGray16(source.Rect),
		"RGB of 16":      image.NewRGBA64(source.Rect),
		"two colours":    image.NewPaletted(source.Rect, color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 0, 9, 99}}),
		"four colours":   image.NewPaletted(source.Rect, color.Palette{color.Black, color.White, color.NRGBA{200, 0, 9, 99}, color.NRGBA{0, 200, 9, 255}}),
		"twelve colours": image.NewPaletted(source.Rect, grays(12)),
		"256 colours":    image.NewPaletted(source.Rect, grays(256)),
	} {
		opaque := image.NewUniform(color.NRGBA{9, 99, 200, 255})
		draw.Draw(m, m.Bounds(), opaque, image.Point{}, draw.Src)
		draw.Draw(m, m.Bounds(), source, image.Point{}, draw.Over)
		add(name, encoded(t, m))
	}
	// Kinds that Go's encoder does not write.
	random := rand.New(rand.NewPCG(3, 4))
	bits := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	for _, k := range []struct {
		name          string
		depth, colour byte
		channels      int
		transparent   string
		interlaced    byte
	}{
		{"gray of 1", 1, 0, 1, "", 0}, {"gray of 2, one transparent", 2, 0, 1, "\x00\x01", 0}, {"gray of 4", 4, 0, 1, "", 0},
		{"gray with alpha", 8, 4, 2, "", 0},
		{"interlaced gray of 1", 1, 0, 1, "", 1}, {"interlaced gray of 8", 8, 0, 1, "", 1}, {"interlaced RGB", 8, 2, 3, "", 1},
		{"interlaced RGBA", 8, 6, 4, "", 1}, {"interlaced RGB of 16", 16, 2, 3, "", 1},
	} {
		for _, side := range [][2]int{{1, 1}, {2, 3}, {5, 1}, {13, 9}} {
			add(k.name, handmade(side[0], side[1], k.depth, k.colour, k.interlaced, k.transparent, func(stride int) []byte { return bits(stride) }))
		}
	}
	var jobs []job
	for _, file := range files {
		jobs = append(jobs, job{Work: "decode", File: file})
	}
	for i, a := range scripted(t, jobs) {
		m, err := png.Decode(bytes.NewReader(files[i]))
		if err != nil {
			t.Errorf("%s: Go does not read it: %v", names[i], err)
			continue
		}
		if want := pixelsOf(m); a.Error != "" || a.Width != m.Bounds().Dx() || a.Height != m.Bounds().Dy() || !bytes.Equal(a.Data, want) {
			t.Errorf("%s, %v: %d × %d %s, other pixels", names[i], m.Bounds(), a.Width, a.Height, a.Error)
		}
	}
}

func grays(n int) (p color.Palette) {
	for i := range n {
		p = append(p, color.Gray{uint8(i * 255 / (n - 1))})
	}
	return p
}

// handmade is a PNG of random samples and filters.
func handmade(w, h int, depth, colour, interlaced byte, transparent string, random func(n int) []byte) []byte {
	channels := []int{1, 0, 3, 1, 2, 0, 4}[colour]
	passes := [][4]int{{0, 0, 1, 1}}
	if interlaced == 1 {
		passes = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}
	}
	var rows bytes.Buffer
	for _, p := range passes {
		columns, count := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
		for range max(0, count) {
			if columns > 0 {
				rows.WriteByte(random(1)[0] % 5)
				rows.Write(random((columns*channels*int(depth) + 7) / 8))
			}
		}
	}
	return packed(w, h, depth, colour, interlaced, transparent, rows.String())
}

// packed is a PNG of rows.
func packed(w, h int, depth, colour, interlaced byte, transparent, rows string) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = append(binary.BigEndian.AppendUint32(head, uint32(h)), depth, colour, 0, 0, interlaced)
	out := []byte(signature)
	for _, c := range [][2]string{{"IHDR", string(head)}, {"tRNS", transparent}, {"IDAT", deflated(rows)}, {"IEND", ""}} {
		if c[0] == "tRNS" && c[1] == "" {
			continue
		}
		start := len(out) + 4
		out = binary.BigEndian.AppendUint32(out, uint32(len(c[1])))
		out = append(append(out, c[0]...), c[1]...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
	}
	return out
}

// TestScriptRefuses: what is damaged is refused, and no room is made for what a header
// only claims.
func TestScriptRefuses(t *testing.T) {
	good := encoded(t, scenes(t)["smooth"])
	flip := func(at int) []byte { b := bytes.Clone(good); b[at] ^= 1; return b }
	huge := handmade(1, 1, 16, 6, 0, "", func(n int) []byte { return make([]byte, n) })
	binary.BigEndian.PutUint32(huge[16:], 1<<31-1)
	binary.BigEndian.PutUint32(huge[20:], 1<<31-1)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	paletted := encoded(t, image.NewPaletted(image.Rect(0, 0, 4, 4), grays(4)))
	at := bytes.Index(paletted, []byte("PLTE"))
	cases := []struct {
		name, says string
		job        job
	}{
		{"nothing", "not a PNG", job{File: nil}},
		{"a JPEG", "not a PNG", job{File: []byte("\xff\xd8\xff\xe0")}},
		{"a flipped bit in the header", "checksum of IHDR", job{File: flip(18)}},
		{"a flipped bit in the pixels", "checksum of IDAT", job{File: flip(len(good) - 30)}},
		{"cut", "less than", job{File: good[:len(good)/2]}},
		{"a header alone", "less than", job{File: good[:header]}},
		{"terabytes", "less than", job{File: huge}},
		{"no palette", "no palette", job{File: append(bytes.Clone(paletted[:at-4]), paletted[at+4+12+4:]...)}},
		{"a filter that there is not", "filter 5", job{File: packed(1, 1, 8, 0, 0, "", "\x05\x00")}},
		{"a row too many", "more than 2 bytes", job{File: packed(1, 1, 8, 0, 0, "", "\x00\x00\x00\x00")}},
		{"a kind that there is not", "does not exist", job{File: packed(1, 1, 4, 2, 0, "", "\x00\x00\x00")}},
		{"a colour beyond the palette", "palette lacks", job{File: withChunk(packed(1, 1, 8, 3, 0, "", "\x00\x01"), "PLTE", "abc", false)}},
		{"more than asked for", "more than 9 bytes", job{Work: "inflate", Data: []byte(deflated("0123456789")), Most: 9}},
	}
	var jobs []job
	for _, c := range cases {
		if c.job.Work == "" {
			c.job.Work = "decode"
		}
		jobs = append(jobs, c.job)
	}
	jobs = append(jobs, job{Work: "inflate", Data: []byte(deflated("0123456789")), Most: 10}, job{Work: "inflate", Data: []byte("no zlib"), Most: 10})
	list := scripted(t, jobs)
	for i, c := range cases {
		if !strings.Contains(list[i].Error, c.says) {
			t.Errorf("%s: %q, wanted %q", c.name, list[i].Error, c.says)
		}
	}
	rest := list[len(cases):]
	if string(rest[0].Data) != "0123456789" || rest[0].Error != "" || rest[1].Error == "" {
		t.Errorf("as many bytes as asked for: %q, %s; no zlib: %q", rest[0].Data, rest[0].Error, rest[1].Error)
	}
}
