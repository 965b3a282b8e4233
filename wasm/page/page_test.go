package page

import (
	"math"
	"strings"
	"testing"
	"time"

	carried "undertone/engine/recipe"
)

func TestTextOfNumbers(t *testing.T) {
	for got, want := range map[string]string{
		bytesText(999):            "999 bytes",
		bytesText(3_303):          "3 kB",
		bytesText(999_600):        "1.0 MB",
		bytesText(12_845_319):     "12.8 MB",
		bytesText(150_000_000):    "150 MB",
		bytesText(1_260_000_000):  "1.26 GB",
		durationText(0.042):       "42 ms",
		durationText(3.14159):     "3.1 s",
		durationText(57.4):        "57 s",
		durationText(600):         "10 min",
		durationText(7200):        "2.0 h",
		millisText(0.123):         "0.12 ms",
		millisText(12.34):         "12.3 ms",
		millisText(999.6):         "1.00 s",
		numberText(1.5):           "1.5",
		numberText(-4):            "-4",
		numberText(2.00000004):    "2",
		fileName(recipe{seed: 7}): "undertone-picture-7.png",
		fileName(recipe{prompt: "A Frog, in the (snow)!", seed: 4294967295}): "undertone-a-frog-in-the-snow-4294967295.png",
		fileName(recipe{prompt: strings.Repeat("ö../", 500)}):                "undertone-picture-0.png",
	} {
		if got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}

func TestMeter(t *testing.T) {
	var m meter
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if m.add(start, 0); m.speed() != 0 {
		t.Error("one sample gives a speed")
	}
	// A second at 1 MB/s, then five at 4 MB/s: what counts is the line as it is now.
	done := int64(0)
	for i := 1; i <= 60; i++ {
		if i <= 10 {
			done += 100_000
		} else {
			done += 400_000
		}
		m.add(start.Add(time.Duration(i)*100*time.Millisecond), done)
	}
	if s := m.speed(); math.Abs(s-4e6) > 1e5 {
		t.Errorf("the speed is %.0f bytes/s, wanted 4,000,000", s)
	}
	if len(m.samples) > 40 {
		t.Errorf("%d samples are kept", len(m.samples))
	}
	m.add(start.Add(20*time.Second), done)
	if s := m.speed(); s > 1e6 {
		t.Errorf("after 14 s of silence the speed is still %.0f", s)
	}
}

func init() { speak(languages[0]) }

const sample1 = `{"model":"sprites","title":"Sprites","family":"flux","revision":"1",
"parameters":{"dit":1,"text":1,"vae":1},"licenses":{"weights":"Apache-2.0","data":"drawn"},
"bytes":1234,"files":{"dit":1000,"text":200,"vae":30,"tokenizer":4},"bits":8,"blocks":{"double":2,"single":6},
"defaults":{"steps":4,"size":256,"shift":1,"seed":7,"cfg":1,"prompt":"a frog"},"sizes":[256],"steps":4,"maxSteps":50,
"presets":[{"id":"detail","title":"Detail","positive":"fine","negative":"coarse","weight":1.5,"range":[-1,3],"schedule":{"kind":"step","start":1}},
{"id":"night","title":"Night","positive":"at night","negative":"by day","weight":1,"schedule":{"kind":"constant"}}],
"understands":{"objects":["frog"],"colours":["red"],"counts":["two"],"places":["in the snow"]},"examples":["a frog in the snow"],"flops":2e9,"memory":2000}`

// parseModel reads a description as the page does.
func parseModel(text []byte) (*model, error) {
	d, err := carried.ParseDescription(text)
	if err != nil {
		return nil, err
	}
	return newModel(d)
}

func mustParse(t *testing.T) *model {
	t.Helper()
	m, err := parseModel([]byte(sample1))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseModel(t *testing.T) {
	m := mustParse(t)
	if m.Bytes != 1234 || m.blocks() != 8 {
		t.Errorf("%d bytes, %d blocks", m.Bytes, m.blocks())
	}
	if p, ok := m.preset("detail"); !ok || p.low != -1 || p.top != 3 || p.schedule.Start != 1 {
		t.Errorf("detail is %+v", p)
	}
	if p, ok := m.preset("night"); !ok || p.low != weightLow || p.top != weightTop {
		t.Errorf("night is %+v", p)
	}
	if p, ok := m.preset(""); ok || p.low != weightLow {
		t.Errorf("words of one's own are %+v", p)
	}
	for name, change := range map[string][2]string{
		"HTML":     {sample1, "<!doctype html>"},
		"no name":  {`"sprites"`, `""`},
		"no depth": {`"double":2,"single":6`, `"double":0,"single":0`},
		"too deep": {`"double":2`, `"double":20000000`},
		"negative": {`"double":2`, `"double":-2`},
		"no steps": {`{"steps":4`, `{"steps":0`},
		"no limit": {`"maxSteps":50`, `"maxSteps":0`},
		"no sizes": {`"sizes":[256]`, `"sizes":[]`},
		"range":    {`"range":[-1,3]`, `"range":"far"`},
		"slope":    {`{"kind":"constant"}`, `{"kind":"constant","slope":1}`},
	} {
		if _, err := parseModel([]byte(strings.Replace(sample1, change[0], change[1], 1))); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCPUSpeed(t *testing.T) {
	if s := cpuSpeed(); s < 1e6 || s > 1e12 {
		t.Errorf("%.3g operations per second", s)
	}
}

func TestHelp(t *testing.T) {
	const (
		chromeLinux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
		edge        = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0"
		android     = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
		fire        = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
		mac         = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
		iphone      = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156.0 Mobile/15E148 Safari/604.1"
	)
	for _, c := range []struct {
		agent string
		why   reason
		want  string
	}{
		{chromeLinux, noWebGPU, say.HelpChromiumLinux},
		{chromeLinux, noAdapter, say.HelpChromiumAdapter},
		{edge, noWebGPU, say.HelpChromium},
		{android, noAdapter, say.HelpAndroid},
		{fire, noWebGPU, say.HelpFirefox},
		{mac, noWebGPU, say.HelpSafari},
		{iphone, noWebGPU, say.HelpSafari},
		{"curl/8", noWebGPU, say.HelpOther},
		{edge, insecure, say.HelpInsecure},
	} {
		if got := help(c.agent, c.why); got != c.want || got == "" {
			t.Errorf("%s: %q", c.agent, got)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "the file is not a PNG": "The file is not a PNG", "vae.gguf: the server answered 404": "vae.gguf: the server answered 404",
		"GPU": "GPU", "步数": "步数", " x": " x",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q became %q, wanted %q", text, got, want)
		}
	}
}

func TestSignText(t *testing.T) {
	for want, x := range map[string]float64{"−1.25": -1.25, "0": 0, "3": 3} {
		if got := signText(x); got != want {
			t.Errorf("%v is %q, wanted %q", x, got, want)
		}
	}
}

// A sheet has as many places as its columns and rows can hold, and not a row more.
func TestGrid(t *testing.T) {
	for n := 1; n <= mostCells; n++ {
		if columns, rows := grid(n); columns < 1 || columns*rows < n || columns*(rows-1) >= n {
			t.Errorf("%d pictures: %d columns, %d rows", n, columns, rows)
		}
	}
}

func TestPlaces(t *testing.T) {
	for want, r := range map[int][][2]float64{9: {{-1, 3}, {0, 4}, {0, 2}}, 7: {{-2, 4}, {0, 3}, {-0.3, 0.7}}, 6: {{-2, 3}}} {
		for _, r := range r {
			if got := places(r[0], r[1]); got != want {
				t.Errorf("from %v to %v: %d pictures, wanted %d", r[0], r[1], got, want)
			}
		}
	}
}
