package engine_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Longer files and functions are hard to read in one go.
const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

// sources calls visit for every file of the repository, with its path from the
// module's root, except for installed packages, fixtures and what a build writes.
func sources(t *testing.T, visit func(file string, text []byte)) {
	t.Helper()
	notOurs := []string{"node_modules", "testdata", "build", "dist"}
	kinds := []string{".go", ".js", ".mjs", ".wgsl", ".py", ".css"}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); n != ".." && (strings.HasPrefix(n, ".") || slices.Contains(notOurs, n)) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(kinds, filepath.Ext(name)) {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", name)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(rel), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tooLong returns what is longer than the limits in a file.
func tooLong(file string, text []byte) (wrong []string, err error) {
	if n := bytes.Count(text, []byte("\n")); n > maxFileLines {
		wrong = append(wrong, fmt.Sprintf("%s has %d lines, at most %d", file, n, maxFileLines))
	}
	if path.Ext(file) != ".go" {
		return wrong, nil
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, text, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if d, ok := d.(*ast.FuncDecl); ok {
			if n := set.Position(d.End()).Line - set.Position(d.Pos()).Line + 1; n > maxFunctionLines {
				wrong = append(wrong, fmt.Sprintf("%s: function %s has %d lines, at most %d", file, d.Name.Name, n, maxFunctionLines))
			}
		}
	}
	return wrong, nil
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	files := 0
	sources(t, func(file string, text []byte) {
		files++
		wrong, err := tooLong(file, text)
		if err != nil {
			t.Error(err)
		}
		for _, w := range wrong {
			t.Error(w)
		}
	})
	if files < 500 {
		t.Errorf("only %d files found", files)
	}
}

// The comment of a package stands in its doc.go and nowhere else. Packages that
// consist of tests alone need none.
func TestPackagesAreDocumentedInDocGo(t *testing.T) {
	documented := map[string]bool{}
	packages := map[string]bool{}
	sources(t, func(file string, text []byte) {
		if path.Ext(file) != ".go" {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		dir, isDoc := path.Dir(file), path.Base(file) == "doc.go"
		if !strings.HasSuffix(file, "_test.go") {
			packages[dir] = true
		}
		switch {
		case isDoc && f.Doc != nil:
			documented[dir] = true
		case !isDoc && f.Doc != nil:
			t.Errorf("%s has a package comment: it belongs in %s/doc.go", file, dir)
		}
	})
	for dir := range packages {
		if !documented[dir] {
			t.Errorf("%s has no doc.go with a package comment", dir)
		}
	}
	if len(packages) < 20 {
		t.Errorf("only %d packages found", len(packages))
	}
}

// The limits are the numbers themselves: one line more is too long.
func TestTooLongCatches(t *testing.T) {
	function := func(lines int) string {
		return "package p\n\nfunc f() {\n" + strings.Repeat("\t_ = 1\n", lines-2) + "}\n"
	}
	for _, c := range []struct {
		file, text string
		wrong      int
	}{
		{"a.js", strings.Repeat("\n", maxFileLines), 0},
		{"a.js", strings.Repeat("\n", maxFileLines+1), 1},
		{"a.wgsl", strings.Repeat("\n", maxFileLines+1), 1},
		{"a.go", function(maxFunctionLines), 0},
		{"a.go", function(maxFunctionLines + 1), 1},
		{"a.go", function(maxFileLines), 2},
	} {
		if wrong, err := tooLong(c.file, []byte(c.text)); err != nil || len(wrong) != c.wrong {
			t.Errorf("%s of %d lines: %q, %v; wanted %d", c.file, strings.Count(c.text, "\n"), wrong, err, c.wrong)
		}
	}
}
