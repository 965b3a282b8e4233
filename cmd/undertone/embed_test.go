package main

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
)

// TestEmbed prints a tag: its attributes, the link and the poster are of one picture, and
// whatever is in them stays text.
func TestEmbed(t *testing.T) {
	folder := t.TempDir()
	poster := filepath.Join(folder, "frog.png")
	code, out, said := cli("embed", tinyModel(t), "--prompt", `a "red" <b>car</b> & more`, "--seed", "5", "--steps", "2",
		"--guidance", "red | ", "--weight", "2", "--schedule", "window:0-1", "--compare", "--theme", "dark", "--poster", poster, "--site", "https://example.org/play")
	if code != 0 {
		t.Fatal(said)
	}
	want := `<script type="module" src="https://example.org/play/element.js"></script>
<undertone-demo prompt="a &#34;red&#34; &lt;b&gt;car&lt;/b&gt; &amp; more" seed="5" steps="2" guidance="red | " weight="2" schedule="window:0-1" theme="dark" compare poster="frog.png">
  <a href="https://example.org/play/#prompt=a+%22red%22+%3Cb%3Ecar%3C/b%3E+%26+more&amp;seed=5&amp;steps=2&amp;size=32&amp;guidance=%5B%7B%22positive%22:%22red%22,%22weight%22:2,%22schedule%22:%7B%22kind%22:%22window%22,%22end%22:1%7D%7D%5D"><img src="frog.png" width="32" height="32" alt="a &#34;red&#34; &lt;b&gt;car&lt;/b&gt; &amp; more"></a>
</undertone-demo>
`
	if out != want {
		t.Errorf("it printed\n%s\nwanted\n%s", out, want)
	}
	if !strings.Contains(said, "Wrote "+poster) || strings.Contains(said, "Copy the site") {
		t.Errorf("it said %q", said)
	}
	file, err := os.ReadFile(poster)
	if err != nil {
		t.Fatal(err)
	}
	p, notices, err := recipe.FromPNG(file, engine.Request{}, recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{recipe.Square(32)}, Blocks: 3}, nil)
	if err != nil || len(notices) != 0 || p.Seed != 5 || len(p.Guidance) != 1 || p.Guidance[0].Weight != 2 || p.Guidance[0].Schedule.Kind != "window" {
		t.Errorf("the poster says %+v, %v, %v", p, notices, err)
	}
	if code, _, said = cli("embed", tinyModel(t), "--poster", poster); code != 0 || !strings.Contains(said, "Copy the site") {
		t.Errorf("beside the page: code %d, %q", code, said)
	}
}

func TestEmbedRefuses(t *testing.T) {
	model, out := tinyModel(t), filepath.Join(t.TempDir(), "out")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"name one model folder", []string{"embed"}},
		{"--steps 9 is out of range: the nearest that is possible is 8", []string{"embed", model, "--steps", "9", "--poster", out + ".png"}},
		{`--preset "nowhere" is nothing that this model has`, []string{"embed", model, "--preset", "nowhere", "--poster", out + ".png"}},
		{`--site "javascript:1": name a folder`, []string{"embed", model, "--site", "javascript:1", "--poster", out + ".png"}},
		{"only png is written", []string{"embed", model, "--poster", out + ".gif"}},
		{"--markdown: give --site the address", []string{"embed", model, "--markdown", "--poster", out + ".png"}},
		{"--poster -: name a file", []string{"generate", model, "--poster", "-"}},
		{"--poster needs the name of a file", []string{"generate", model, "--poster", ""}},
		{"the tag is written to standard output", []string{"embed", model, "--poster", "-"}},
	} {
		if code, _, said := cli(c.args...); code != 2 || !strings.Contains(said, c.says) {
			t.Errorf("%v: code %d, %q; wanted %q", c.args, code, said, c.says)
		}
	}
}

// TestPosters writes posters of both kinds, alone and beside the picture, and the line of a
// README: all carry what made them.
func TestPosters(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	photo, picture := filepath.Join(folder, "frog.jpg"), filepath.Join(folder, "frog.png")
	t.Chdir(folder)
	code, out, said := cli("embed", model, "--prompt", "a frog", "--seed", "3", "--ablate", "pooled:zero", "--markdown", "--site", "https://example.org/u", "--poster", photo)
	if want := "[![a frog](<frog.jpg>)](https://example.org/u/#prompt=a+frog&seed=3&steps=2&size=32&ablate=%7B%22pooled%22:%22zero%22%7D)\n"; code != 0 || out != want {
		t.Errorf("code %d, %s%s, wanted %s", code, said, out, want)
	}
	file, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil || decoded.Bounds().Dx() != 32 || !bytes.Contains(file[:200], []byte("#prompt=a+frog&seed=3&")) {
		t.Errorf("the JPEG file: %v, %q", err, file[:80])
	}
	if code, _, said := cli("generate", model, "--poster", "alone.jpeg"); code != 0 {
		t.Fatal(said)
	}
	if _, err := os.Stat("picture.png"); err == nil {
		t.Error("a poster was asked for, and a picture is there too")
	}
	if code, _, said := cli("generate", model, "--poster", "p.png", "-o", picture); code != 0 {
		t.Fatal(said)
	}
	for _, name := range []string{"alone.jpeg", "p.png", picture} {
		if info, err := os.Stat(name); err != nil || info.Size() < 100 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
