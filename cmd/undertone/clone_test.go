package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCloneKeepsEveryByte clones the repository as git for Windows does, which
// turns the ends of lines into CRLF unless .gitattributes forbids it: hashes of
// weights, goldens, patches and scripts would not hold any more.
func TestCloneKeepsEveryByte(t *testing.T) {
	if _, err := os.Stat("../../.git"); err != nil {
		t.Skip("this is no git checkout: clone the repository with git to run this test")
	}
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git(t, "", "clone", "--quiet", "--shared", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", source, clone)

	var names, want []string
	for _, entry := range strings.Split(strings.TrimSuffix(git(t, "", "-C", clone, "ls-tree", "-r", "-z", "HEAD"), "\x00"), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		names, want = append(names, name), append(want, strings.Fields(about)[2])
	}
	got := strings.Fields(git(t, strings.Join(names, "\n"), "-C", clone, "hash-object", "--no-filters", "--stdin-paths"))
	if len(got) != len(want) || len(want) < 300 {
		t.Fatalf("%d files were hashed, %d are in HEAD", len(got), len(want))
	}
	for i, name := range names {
		if got[i] != want[i] {
			t.Errorf("%s: the clone's bytes are not those that were committed", name)
		}
	}
	succeed(t, "convert", filepath.Join(clone, "models", "sprites"), "--to", "Q8_0", "--out", t.TempDir())
}

// git runs git on this input and returns what it printed.
func git(t *testing.T, input string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Stdin = strings.NewReader(input)
	var out, faults bytes.Buffer
	c.Stdout, c.Stderr = &out, &faults
	if err := c.Run(); err != nil {
		t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, faults.String())
	}
	return out.String()
}
