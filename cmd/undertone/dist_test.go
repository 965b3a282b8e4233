package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDist builds the site of this repository around a program that is none, as a
// release and with the kill switch.
func TestDist(t *testing.T) {
	folder := t.TempDir()
	program, out := filepath.Join(folder, "program"), filepath.Join(folder, "site")
	if err := os.WriteFile(program, []byte("\x00asm"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"dist", "--root", "../..", "--out", out, "--engine", program, "--page", program, "--lab", program, "--bench", program, "--exec", program}
	args = append(args, "--url", "https://example.org/u")
	said := succeed(t, append(args, "--zip", folder, "--npm", folder)...)

	text, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(text))
	archive := filepath.Join(folder, "undertone-"+version+".zip")
	if want := "wrote " + out + "\nwrote " + archive + "\nwrote " + strings.Replace(archive, ".zip", ".tgz", 1) + "\n"; said != want {
		t.Errorf("it said %q, wanted %q", said, want)
	}
	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.File) < 20 {
		t.Errorf("the release holds %d files", len(r.File))
	}
	changes, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, newest, _ := strings.Cut(string(changes), "\n## "); !strings.HasPrefix(newest, version+"\n") && !strings.HasPrefix(newest, version+",") {
		t.Errorf("CHANGELOG.md begins with %.20q, this is version %s", newest, version)
	}
	index, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || !strings.Contains(string(index), `<meta name="version" content="`+version+`">`) {
		t.Errorf("the page does not name the version %s: %v", version, err)
	}
	if !strings.Contains(string(index), `<meta property="og:image" content="https://example.org/u/assets/link-preview.`) {
		t.Error("the page does not name its picture for previews in full")
	}
	worker, err := os.ReadFile(filepath.Join(out, "sw.js"))
	if err != nil || !strings.Contains(string(worker), `"index.html": "sha256-`) {
		t.Errorf("the service worker does not know the page: %v", err)
	}

	succeed(t, append(args, "--kill")...)
	killer, err := os.ReadFile(filepath.Join(out, "sw.js"))
	if err != nil || !strings.Contains(string(killer), "unregister") || strings.Contains(string(killer), `"fetch"`) {
		t.Errorf("sw.js is not the kill switch: %v", err)
	}
}
