package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/testing/scale"
)

// hollow writes a file of a network whose numbers are all zero, and which takes no room on
// a disk: its header tells how long it is.
func hollow(t *testing.T, folder string, n scale.Network) string {
	t.Helper()
	f, err := n.Make()
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, f.Head())
	if _, err := f.ReadAt(head, 0); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, f.Name)
	put(t, name, head)
	if err := os.Truncate(name, f.Size()); err != nil {
		t.Fatal(err)
	}
	return name
}

// What published models of full size take is told from their headers.
func TestPlanOfPublishedShapes(t *testing.T) {
	folder := t.TempDir()
	file := func(n scale.Network) string { return hollow(t, folder, n) }
	vae := file(scale.KL(128, 256, 512, 512))
	l, g, t5 := file(scale.CLIPL(op.BF16, 12)), file(scale.CLIPG(op.BF16, 32)), file(scale.T5(op.BF16))
	flux := file(scale.Flux(op.BF16, 19, 38, true))
	schnell := []string{file(scale.Flux(op.Q4_K, 19, 38, false)), file(scale.LlamaT5(op.Q4_K)), l, vae}
	large := file(scale.SD35("sd3.5_large", op.BF16, 38, 38, 0, 192))
	medium := []string{file(scale.SD35("sd3.5_medium", op.Q4_0, 24, 24, 13, 384)), l, g, vae}
	for _, c := range []struct {
		size  string
		paths []string
		says  []string
	}{
		{"1024", []string{flux, l, t5, vae}, []string{"FLUX.1 dev", "flux1-dev: 1024 × 1024 pixels, 28 steps", "22700.1 MiB  126.0 MiB", "where a device binds 128.0 MiB at once, the largest tensor has 124.0 MiB", "missing: the tokenizer of the text encoder T5"}},
		{"1024x768", schnell, []string{"FLUX.1 schnell", "flux1-schnell: 1024 × 768 pixels, 4 steps", "Q4_K  2555.4 MiB", "t5      2555.4 MiB"}},
		{"1024", []string{large, l, g, vae}, []string{"Stable Diffusion 3.5 large", "sd3-5-large: 1024 × 1024 pixels, 28 steps", "where a device binds 128.0 MiB at once, the largest tensor has 126.4 MiB", "missing, and not needed: the text encoder T5"}},
		{"1024x768", medium, []string{"Stable Diffusion 3.5 medium", "sd3-5-medium: 1024 × 768 pixels, 40 steps"}},
		{"1024x768", append([]string{t5}, medium...), []string{"Stable Diffusion 3.5 medium", "sd3-5-medium: 1024 × 768 pixels, 40 steps"}},
	} {
		begin := time.Now()
		code, stdout, stderr := cli(append([]string{"inspect", "--plan", "--size", c.size}, c.paths...)...)
		t.Logf("in %v:\n%s", time.Since(begin), stdout)
		if code != 0 {
			t.Fatalf("code %d: %s", code, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stdout, want) {
				t.Errorf("no %q in\n%s", want, stdout)
			}
		}
	}
	if code, stdout, stderr := cli("inspect", "--plan", flux, l); code != 1 || !strings.Contains(stdout, "transformer") || !strings.Contains(stderr, "missing the decoder of FLUX.1") {
		t.Errorf("of half a model: %d, %s, %s", code, stdout, stderr)
	}
	if code, _, stderr := cli("inspect", "--size", "512", flux); code == 0 || !strings.Contains(stderr, "--size is for --plan") {
		t.Errorf("a size without a plan: %d, %s", code, stderr)
	}
}

// metered counts the bytes that are read of a source.
type metered struct {
	op.Source
	read *int64
}

func (m metered) ReadAt(b []byte, off int64) (int, error) {
	*m.read += int64(len(b))
	return m.Source.ReadAt(b, off)
}

// A plan reads the headers, each once or twice, and no weights.
func TestPlanReadsHeaders(t *testing.T) {
	for _, m := range []scale.Model{scale.SD35Medium(op.Q4_0), scale.FluxSchnell(op.Q4_K), scale.FluxSchnell(op.BF16)} {
		files, err := m.Files()
		if err != nil {
			t.Fatal(err)
		}
		var given []checkpoint.File
		var read, heads, all int64
		for _, f := range files {
			given = append(given, checkpoint.File{Name: f.Name, Source: metered{f, &read}})
			heads, all = heads+f.Head(), all+f.Size()
		}
		begin := time.Now()
		found, err := checkpoint.Identify(given)
		if err != nil {
			t.Fatal(err)
		}
		offer, err := engine.Offer(found)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.EstimateModel(offer, engine.Request{Steps: 4, Size: recipe.Size{Width: 1024, Height: 768}, CFG: 1}, nil); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, %d bytes: %d read in %v, the headers have %d", offer.Title, all, read, time.Since(begin), heads)
		if most := 2*heads + int64(len(files))<<20; read > most {
			t.Errorf("%s: %d bytes were read, at most %d are headers", offer.Title, read, most)
		}
	}
}
