package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licences tell a licence by phrases of its text; the first that has all of them is it.
var licences = []struct {
	id      string
	phrases []string
}{
	{"MPL-2.0", []string{"Mozilla Public License Version 2.0"}},
	{"Apache-2.0", []string{"Apache License", "Version 2.0, January 2004"}},
	{"MIT", []string{"Permission is hereby granted, free of charge", "The above copyright notice and this permission notice shall be included"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "Neither the name of"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
}

var spaces = regexp.MustCompile(`\s+`)

// plain is a text with one space between words, however its lines are broken.
func plain(s string) string { return strings.TrimSpace(spaces.ReplaceAllString(s, " ")) }

// licenceOf reads which licence a module of the module cache has.
func licenceOf(t *testing.T, dir string) (id, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no LICENSE: %v", dir, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	text = plain(string(raw))
	for _, l := range licences {
		if !slices.ContainsFunc(l.phrases, func(p string) bool { return !strings.Contains(text, p) }) {
			return l.id, text
		}
	}
	t.Fatalf("%s is a licence that this test does not know", files[0])
	return "", ""
}

// notice returns the rows of NOTICE under the heading that begins so: name → licence.
func notice(t *testing.T, text, heading string) map[string]string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+heading)
	if !found {
		t.Fatalf("NOTICE has no %q", heading)
	}
	_, rest, _ = strings.Cut(rest, "\n\n")
	table, _, _ := strings.Cut(rest, "\n\n")
	rows := map[string]string{}
	for _, line := range strings.Split(table, "\n") {
		columns := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
		rows[strings.Fields(columns[0])[0]] = columns[len(columns)-1]
	}
	return rows
}

// linked lists the modules that a program is linked from, with their folders.
func linked(t *testing.T, pkg string, env ...string) map[string]string {
	t.Helper()
	c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", pkg)
	c.Env = append(os.Environ(), env...)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if name, dir, ok := strings.Cut(line, " "); ok {
			modules[name] = dir
		}
	}
	return modules
}

// TestNoticeIsWhatIsLinked holds NOTICE's lists of Go modules to the programs:
// every module that is linked, no other, each with the licence that it comes with.
// What the programs of a site contain must be there with the text of its licence.
func TestNoticeIsWhatIsLinked(t *testing.T) {
	raw, err := os.ReadFile("../../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct {
		heading, pkg string
		env          []string
		served       bool
	}{
		{"The WebAssembly programs", "undertone/wasm/...", []string{"GOOS=js", "GOARCH=wasm"}, true},
		{"The native tool", "undertone/cmd/undertone", []string{"GOOS=linux"}, false},
		{"The native tool", "undertone/cmd/undertone", []string{"GOOS=darwin"}, false},
		{"The native tool", "undertone/cmd/undertone", []string{"GOOS=windows"}, false},
	} {
		rows, modules := notice(t, string(raw), p.heading), linked(t, p.pkg, p.env...)
		if rows["Go's"] != "BSD-3-Clause" {
			t.Errorf("%s: Go's standard library is not listed", p.heading)
		}
		delete(rows, "Go's")
		if got, want := slices.Sorted(maps.Keys(rows)), slices.Sorted(maps.Keys(modules)); !slices.Equal(got, want) {
			t.Errorf("%s (%v): NOTICE has\n%q\nand linked are\n%q", p.heading, p.env, got, want)
		}
		for name, dir := range modules {
			id, text := licenceOf(t, dir)
			if rows[name] != id {
				t.Errorf("%s: NOTICE calls %s %q, its licence is %s", p.heading, name, rows[name], id)
			}
			if p.served && id != "Apache-2.0" && !strings.Contains(plain(string(raw)), text) {
				t.Errorf("the text of the licence of %s is not in NOTICE", name)
			}
		}
	}
}

// TestNoticeNamesTestDependencies holds NOTICE to every package.json and its lock,
// and to the requirements of train/.
func TestNoticeNamesTestDependencies(t *testing.T) {
	raw, err := os.ReadFile("../../NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, folder := range packages(t) {
		var p struct{ Dependencies, DevDependencies map[string]string }
		var lock struct {
			Packages map[string]struct{ License string }
		}
		decode(t, filepath.Join(folder, "package.json"), &p)
		maps.Copy(p.Dependencies, p.DevDependencies)
		if len(p.Dependencies) == 0 {
			continue
		}
		decode(t, filepath.Join(folder, "package-lock.json"), &lock)
		for name := range p.Dependencies {
			want[name] = lock.Packages["node_modules/"+name].License
		}
	}
	if got := notice(t, string(raw), "Of npm"); !maps.Equal(got, want) {
		t.Errorf("npm: NOTICE has %q, the packages are %q", got, want)
	}
	requirements, err := os.ReadFile("../../train/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	python := notice(t, string(raw), "Of Python")
	for _, line := range strings.Split(strings.TrimSpace(string(requirements)), "\n") {
		if name, _, needed := strings.Cut(line, ">="); needed && python[name] == "" {
			t.Errorf("NOTICE does not name the Python package %s", name)
		}
	}
}

// packages lists the folders of the repository that have a package.json of their own, but
// for e2e/testdata/hosts, whose generators no test installs.
func packages(t *testing.T) (folders []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{"node_modules", "build", "dist", "hosts", ".git"}, d.Name()) {
			return filepath.SkipDir
		}
		if err == nil && d.Name() == "package.json" {
			folders = append(folders, filepath.Dir(p))
		}
		return err
	})
	if err != nil || len(folders) < 3 {
		t.Fatalf("folders with a package.json: %v, %v", folders, err)
	}
	return folders
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
