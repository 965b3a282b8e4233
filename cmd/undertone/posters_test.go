package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// TestPostersOfDocument draws the posters that a document's tags name.
func TestPostersOfDocument(t *testing.T) {
	model, folder := tinyModel(t), t.TempDir()
	document := filepath.Join(folder, "article.md")
	write := func(text string) {
		if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`# Frogs
<undertone-demo id="a" compare prompt="a &quot;red&quot; frog > a cat" seed="3"
 poster="one.jpg"></undertone-demo> and <undertone-demo seed="4" poster="two.png"> text </undertone-demo> <undertone-demo>`)
	code, out, said := cli("embed", model, "--in", document)
	if code != 0 || !strings.Contains(out, "one.jpg: #prompt=a+%22red%22+frog+%3E+a+cat&seed=3&") {
		t.Fatalf("code %d, %s%s", code, out, said)
	}
	for _, name := range []string{"one.jpg", "two.png"} {
		if file, err := os.ReadFile(filepath.Join(folder, name)); err != nil || len(file) < 100 {
			t.Errorf("%s: %d bytes, %v", name, len(file), err)
		}
	}
	for text, says := range map[string]string{
		"nothing": "there is no <undertone-demo> with a poster",
		`<undertone-demo poster="../../out.png">`:            "is not in the document's folder",
		`<undertone-demo steps="99" poster="out.png">`:       "out.png: --steps 99 is out of range",
		`<undertone-demo preset="nowhere" poster="out.png">`: `--preset "nowhere" is nothing that this model has`,
	} {
		write(text)
		if code, _, said := cli("embed", model, "--in", document); code != 2 || !strings.Contains(said, says) {
			t.Errorf("%s: code %d, %q", text, code, said)
		}
	}
	if code, _, said := cli("embed", model, "--in", document, "--seed", "3"); code != 2 || !strings.Contains(said, "leave out the other flags") {
		t.Errorf("with another flag: code %d, %q", code, said)
	}
}

// TestArticlePosters: the pictures of the article are those that its figures ask for, and
// small, and the shipped model takes every value as it stands there.
func TestArticlePosters(t *testing.T) {
	const docs, most = "../../docs", 40_000
	b, err := weights.LoadBundle(context.Background(), weights.Dir("../../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	description, err := engine.Describe(&b.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(docs, "pooled-vector.md"))
	if err != nil {
		t.Fatal(err)
	}
	list := withPosters(text)
	if len(list) != 4 {
		t.Errorf("the article has %d figures", len(list))
	}
	for _, d := range list {
		q, notices := recipe.FromEmbed(d.Picture(), description)
		if len(notices) != 0 {
			t.Errorf("%s: %v", d.Picture(), notices)
		}
		file, err := os.ReadFile(filepath.Join(docs, d.Value("poster")))
		if err != nil {
			t.Fatal(err)
		}
		if want := withComment([]byte{0xff, 0xd8}, recipe.Hash(q)); !bytes.HasPrefix(file, want) {
			t.Errorf("%s is not the picture of %s: run make posters", d.Value("poster"), d.Picture())
		}
		if len(file) > most {
			t.Errorf("%s has %d bytes, at most %d are allowed", d.Value("poster"), len(file), most)
		}
	}
}
