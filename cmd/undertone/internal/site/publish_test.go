package site

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// put writes a file and the folders above it.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree is all that a folder holds: files with their text, links with their target.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, p)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			all[rel+"/"] = ""
		case d.Type()&fs.ModeSymlink != 0:
			if all[rel], err = os.Readlink(p); err != nil {
				return err
			}
		default:
			all[rel] = read(t, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// refused builds, which must fail with this sentence and change nothing in what.
func refused(t *testing.T, o Options, what, says string) {
	t.Helper()
	before := tree(t, what)
	err := Build(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("--out %s: %v, wanted an error that says %q", o.Out, err, says)
	}
	if after := tree(t, what); !maps.Equal(before, after) {
		t.Errorf("--out %s: %s was changed", o.Out, what)
	}
}

// TestBuildRefusesFoldersThatItDidNotMake builds over what people keep in folders.
func TestBuildRefusesFoldersThatItDidNotMake(t *testing.T) {
	o := source(t)
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, filepath.FromSlash(name)) }
	put(t, in("photos/2019/a.jpg"), "a")
	put(t, in("photos/b.jpg"), "b")
	put(t, in("pages/.git"), "gitdir: elsewhere")
	put(t, in("pages/CNAME"), "example.com")
	put(t, in("pages/index.html"), "<h1>Mine</h1>")
	put(t, in("pages/about.html"), "about")
	put(t, in("mirror/SHA256SUMS"), fmt.Sprintf("%x  disk.iso\n", sha256.Sum256([]byte("disk"))))
	put(t, in("mirror/disk.iso"), "disk")
	put(t, in("likeness/sw.js"), "other")
	put(t, in("likeness/index.html"), "other")
	put(t, in("likeness/undertone.js"), "other")
	put(t, in("likeness/SHA256SUMS"), strings.Repeat("0", 64)+"  index.html\n"+strings.Repeat("0", 64)+"  sw.js\n"+strings.Repeat("0", 64)+"  undertone.js\n")
	put(t, in("marked/"+markName), "garbage\n")
	put(t, in("escaping/"+markName), strings.Repeat("0", 64)+"  ../photos/b.jpg\n")
	put(t, in("file"), "file")
	for name, to := range map[string]string{"link": "photos", "nowhere": "absent", "tofile": "file"} {
		if err := os.Symlink(to, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	for out, says := range map[string]string{
		"photos": `is not empty, and no site that undertone dist built: it holds "2019", "b.jpg". Nothing was changed. Choose another --out`,
		"pages":  `it holds ".git", "CNAME", "about.html", 1 more`,
		"mirror": "is not empty", "likeness": "is not empty", ".": "is not empty", "photos/..": "is not empty", "link": "is not empty", "link/../photos": "is not empty",
		"marked": "line 1 is not a SHA-256", "escaping": "line 1 is not a SHA-256",
		"file": "is a file", "tofile": "is a file", "nowhere": "a link to a folder that is not there",
	} {
		o.Out = top + "/" + out // not cleaned
		refused(t, o, top, says)
	}
	t.Chdir(in("photos"))
	o.Out = "."
	refused(t, o, top, "is not empty")
	o.Out = ".."
	refused(t, o, top, "is not empty")
	for _, within := range []string{"", "web", "web/new", "model/tiny", "model/tiny/new", "model"} {
		o.Out = filepath.Join(o.Root, within)
		refused(t, o, o.Root, "--out")
	}
	// What a former version deleted without a question.
	o.Out = filepath.Join(o.Root, "dist")
	put(t, o.Out+".new/photo", "photo")
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if read(t, o.Out+".new/photo") != "photo" {
		t.Error("a neighbour was changed")
	}
}

// TestBuildKeepsWhatPeopleAdded rebuilds a site in which there is more than it wrote.
func TestBuildKeepsWhatPeopleAdded(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	first := tree(t, o.Out)
	added := map[string]string{
		".git/HEAD": "ref", ".git/objects/00/11": "object", "CNAME": "example.com", "photos/a.jpg": "a", "assets/mine.js": "mine", "models/tiny/notes.txt": "notes",
		"assets/worker.0123456789ab.js": "mine, with a name as of a build",
	}
	for name, text := range added {
		put(t, filepath.Join(o.Out, name), text)
	}
	if err := os.Symlink("CNAME", filepath.Join(o.Out, "link")); err != nil {
		t.Fatal(err)
	}
	added["link"] = "CNAME"

	put(t, filepath.Join(o.Root, "web/protocol.js"), "export const version = 2")
	o.Twins = false
	if err := os.Rename(o.Models[0], filepath.Join(o.Root, "model/other")); err != nil {
		t.Fatal(err)
	}
	o.Models[0] = filepath.Join(o.Root, "model/other")
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	rebuilt := tree(t, o.Out)
	fresh := o
	fresh.Out = filepath.Join(t.TempDir(), "fresh")
	if err := Build(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	want := tree(t, fresh.Out)
	stale := 0
	for name := range first {
		if _, stays := want[name]; !stays && !strings.HasPrefix(name, "models/tiny/") {
			stale++
		}
	}
	if stale < 3 { // worker, protocol and its twins: else this test shows nothing
		t.Errorf("%d files are stale", stale)
	}
	for name, text := range added {
		want[name] = text
	}
	want["models/tiny/"] = ""
	for _, d := range []string{".git/", ".git/objects/", ".git/objects/00/", "photos/"} {
		want[d] = ""
	}
	if !maps.Equal(rebuilt, want) {
		t.Errorf("the rebuilt site holds\n%v\nwanted\n%v", slices.Sorted(maps.Keys(rebuilt)), slices.Sorted(maps.Keys(want)))
	}
}

// TestBuildAsksBeforeReplacing adds files that the next build would write.
func TestBuildAsksBeforeReplacing(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	sums := read(t, filepath.Join(o.Out, "SHA256SUMS"))
	index, edited := filepath.Join(o.Out, "index.html"), "<h1>Mine</h1>"
	put(t, index, edited)
	refused(t, o, o.Out, "needs to replace, and that no build wrote or somebody changed since: index.html. Nothing was changed")
	// A file that the next version no longer has, and that was changed, stays too.
	worker, _ := filepath.Glob(filepath.Join(o.Out, "assets/worker.*.js"))
	put(t, worker[0], "changed")
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(o.Root, "web/worker.js"), "another")
	put(t, filepath.Join(o.Root, "web/undertone.d.ts"), "export {}")
	put(t, filepath.Join(o.Out, "undertone.d.ts"), "mine")
	refused(t, o, o.Out, "changed since: undertone.d.ts.")
	put(t, filepath.Join(o.Out, "undertone.d.ts"), "export {}") // what the build would write
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if read(t, worker[0]) != "changed" || read(t, filepath.Join(o.Out, "SHA256SUMS")) == sums {
		t.Error("the changed file is gone, or nothing was built")
	}

	// Folders of the site that are links lead elsewhere.
	elsewhere := t.TempDir()
	if err := os.Rename(filepath.Join(o.Out, "assets"), filepath.Join(elsewhere, "assets")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "assets"), filepath.Join(o.Out, "assets")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(o.Root, "web/worker.js"), "a third")
	refused(t, o, elsewhere, "assets in "+o.Out+" is no folder")
}

// TestBuildKnowsFormerSites takes over a site of a version that left no mark.
func TestBuildKnowsFormerSites(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := tree(t, o.Out)
	if err := os.Remove(filepath.Join(o.Out, markName)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(o.Out, "CNAME"), "example.com")
	want["CNAME"] = "example.com"
	protocol := read(t, filepath.Join(o.Root, "web/protocol.js"))
	put(t, filepath.Join(o.Root, "web/protocol.js"), "export const version = 2")
	for range 2 { // to the new version and back
		if err := Build(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(o.Root, "web/protocol.js"), protocol)
	}
	if got := tree(t, o.Out); !maps.Equal(got, want) {
		t.Errorf("the site holds\n%v\nwanted\n%v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// countdown is a context that ends after so many looks at it.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestInterruptedBuild stops a rebuild at many places. The former page and all that
// it refers to must still be there, and the next build must go on.
func TestInterruptedBuild(t *testing.T) {
	o := source(t)
	o.Twins = false
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	former := tree(t, o.Out)
	put(t, filepath.Join(o.Out, "CNAME"), "example.com")
	for _, name := range []string{"protocol.js", "style.css", "sw.js"} {
		file := filepath.Join(o.Root, "web", name)
		put(t, file, read(t, file)+"\n")
	}
	for looks := 0; ; looks++ {
		err := Build(&countdown{t.Context(), looks}, o)
		now := tree(t, o.Out)
		if now["CNAME"] != "example.com" {
			t.Fatalf("stopped after %d looks: the added file is gone", looks)
		}
		for name := range now {
			if base := filepath.Base(name); base[0] == '.' && base != markName && base != ".nojekyll" && base != "." {
				t.Fatalf("stopped after %d looks: it left %s", looks, name)
			}
		}
		if err == nil {
			if looks < 10 {
				t.Errorf("it looks only %d times whether to stop", looks)
			}
			break
		}
		if now["sw.js"] != former["sw.js"] {
			continue // the new site serves; what is left is to remove the former files
		}
		for name, text := range former {
			if hashed.MatchString(name) && now[name] != text {
				t.Fatalf("stopped after %d looks: the former page lacks %s", looks, name)
			}
		}
	}
	fresh := o
	fresh.Out = filepath.Join(t.TempDir(), "fresh")
	if err := Build(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	want := tree(t, fresh.Out)
	want["CNAME"] = "example.com"
	if got := tree(t, o.Out); !maps.Equal(got, want) {
		t.Error("after all interruptions the site differs from a fresh one")
	}
}

// TestBuildThroughALink keeps a --out that is a link to a folder.
func TestBuildThroughALink(t *testing.T) {
	o := source(t)
	folder := t.TempDir()
	o.Out = filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, o.Out); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Build(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	if to, err := os.Readlink(o.Out); err != nil || to != folder {
		t.Errorf("the link was replaced: %v", err)
	}
	if !strings.HasPrefix(read(t, filepath.Join(folder, "index.html")), "<link") {
		t.Error("the site is not where the link leads")
	}
}
