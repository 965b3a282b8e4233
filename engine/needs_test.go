package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// needs reads .ci/needs: names by kind.
func needs(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../.ci/needs")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 3 {
			t.Fatalf(".ci/needs: %q has not three columns", line)
		}
		list[f[0]] = append(list[f[0]], f[1])
	}
	return list
}

// essential are the commands that the smallest Debian has, and what the shell does
// by itself.
var essential = strings.Fields(`apt-get awk basename bash cat cd command cp dirname echo env eval exec grep head id
	install ldconfig ln mkdir mktemp mv printf read rm sed set sh shift sort tail tee test true uname wc`)

// TestNeedsAreDeclared holds the commands that the tests, the Makefile and the
// scripts run, and the folders of Node modules, to .ci/needs, so that a machine
// which has more than that list hides nothing. Python's imports are held to it by
// train/tests/test_needs.py.
func TestNeedsAreDeclared(t *testing.T) {
	list := needs(t)
	known := slices.Concat(essential, list["command"], list["optional"])
	used := map[string][]string{} // files by command
	var modules, wheels []string
	for _, file := range repository(t) {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		switch {
		case strings.HasSuffix(file, "_test.go"):
			names = ofGo(t, file, text)
			for _, m := range wheel.FindAllSubmatch(text, -1) {
				wheels = append(wheels, string(m[1]))
			}
		case strings.HasSuffix(file, ".mjs"):
			names = ofNode(string(text))
		case file == ".ci/bare", file == "e2e/testdata/hosts/make.sh": // say themselves what they need; no test runs them
		case file == "Makefile", strings.HasSuffix(file, ".sh"), strings.HasPrefix(string(text), "#!/usr/bin/env bash"):
			names = ofShell(string(text))
		case filepath.Base(file) == "package-lock.json":
			modules = append(modules, filepath.ToSlash(filepath.Dir(file)))
		}
		for _, n := range names {
			used[n] = append(used[n], file)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !slices.Contains(known, name) {
			t.Errorf("%s is run by %v, and is not in .ci/needs", name, slices.Compact(used[name]))
		}
	}
	slices.Sort(modules)
	folders := slices.Sorted(slices.Values(slices.Concat(list["npm"], list["measured"])))
	if !slices.Equal(modules, folders) {
		t.Errorf("there are Node modules in %v; .ci/needs has %v", modules, folders)
	}
	slices.Sort(wheels)
	slices.Sort(list["wheel"])
	if wheels = slices.Compact(wheels); !slices.Equal(wheels, list["wheel"]) {
		t.Errorf("the tests read the wheels %v; .ci/needs has %v", wheels, list["wheel"])
	}
	for _, must := range []string{"go", "node", "chromium", "firefox-esr", "patch", "npm"} {
		if used[must] == nil {
			t.Errorf("this test does not see that %s is run", must)
		}
	}
}

// wheel finds the Python packages that a Go file reads.
var wheel = regexp.MustCompile(`build/wheels/([\w.-]+)-py3-none-any\.whl`)

// ofGo finds the commands that a Go file runs or looks for by a name that stands
// there; others are programs that it built.
func ofGo(t *testing.T, file string, text []byte) (names []string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		at, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if pkg, ok := at.X.(*ast.Ident); !ok || pkg.Name != "exec" {
			return true
		}
		arg := map[string]int{"Command": 0, "LookPath": 0, "CommandContext": 1}
		i, ok := arg[at.Sel.Name]
		if !ok || i >= len(call.Args) {
			return true
		}
		if name, ok := call.Args[i].(*ast.BasicLit); ok {
			// What lies in a folder of Node modules comes with it.
			if s, err := strconv.Unquote(name.Value); err == nil && !strings.Contains(s, "node_modules/") {
				names = append(names, filepath.Base(s))
			}
		}
		return true
	})
	return names
}

var started = regexp.MustCompile(`\b(?:exec|execFile|spawn|fork)(?:Sync)?\(\s*"([^"]+)"`)

// ofNode finds the commands that a script for Node runs.
func ofNode(text string) (names []string) {
	for _, m := range started.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.Fields(m[1])[0])
	}
	return names
}

var (
	comment = regexp.MustCompile(`(?m)(^|[ \t])#.*$`)
	// Expansions of variables, lists and the patterns of case hold no commands.
	inert = regexp.MustCompile(`\$\{[^}]*\}|\w+\+?=\([^)$]*\)|(?m:^[ \t]*[\w*:| -]+\))`)
	// A command stands at the beginning, or behind what ends another one or opens a
	// group; words of the shell and settings of its environment may precede it.
	position = regexp.MustCompile(`(?m)(?:^|[;|&({!])[ \t@]*(?:(?:then|do|else|if|while|until|exec|!)[ \t]+)*(?:[A-Za-z_]+=[^\s;]*[ \t]+)*([a-z][\w.-]*)(\(\)|\+?=|[:%])?`)
)

// unquoted leaves out the text in quotes, but for the commands within it.
func unquoted(text string) string {
	var b strings.Builder
	var open []byte // what is to be closed: quotes, and ) of $(
	for i := 0; i < len(text); i++ {
		c, last := text[i], byte(0)
		if len(open) > 0 {
			last = open[len(open)-1]
		}
		switch {
		case c == '\\':
			i++
		case last != '\'' && strings.HasPrefix(text[i:], "$("):
			open = append(open, ')')
			b.WriteString(" $(")
			i++
		case c == last:
			open = open[:len(open)-1]
			b.WriteByte(c)
		case last != '\'' && (c == '"' || c == '\'' && last != '"'):
			open = append(open, c)
			b.WriteByte(c)
		case last == '"' || last == '\'':
		case c == '(':
			open = append(open, ')')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// words are of the shell and of make, and no commands.
var words = strings.Fields("case do done elif else esac fi for if in function return then time until while continue export local exit " +
	"filter notdir wildcard or")

// ofShell finds the commands of a shell script or a Makefile, as far as they can be
// seen without running it.
func ofShell(text string) (names []string) {
	functions := map[string]bool{}
	text = strings.NewReplacer("\\\n", " ", "$$", "$").Replace(text)
	text = unquoted(inert.ReplaceAllString(comment.ReplaceAllString(text, ""), ""))
	for _, m := range position.FindAllStringSubmatch(text, -1) {
		name, behind := m[1], m[2]
		switch {
		case behind == "()":
			functions[name] = true
		case behind == "" && !slices.Contains(words, name):
			names = append(names, name)
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return functions[n] })
}

// The commands of a script are seen wherever they may stand.
func TestNeedsOfShell(t *testing.T) {
	text := `
# jq is not run by a comment
one() { two --flag "three | four"; }
A=1 five $(six | seven) && { eight || exit 1; }
if ! nine; then ten; fi
case $x in
eleven | twelve) thirteen ;;
esac
one 'fourteen; fifteen' "$(sixteen "${x:-seventeen}")"
list+=(text)
	@eighteen $$(nineteen) \
	  | twenty
`
	want := "two five six seven eight nine ten thirteen sixteen eighteen nineteen twenty"
	if got := strings.Join(ofShell(text), " "); got != want {
		t.Errorf("it runs %s\nseen is %s", want, got)
	}
}

// repository lists the files that git tracks or would track.
func repository(t *testing.T) (files []string) {
	t.Helper()
	list, err := exec.Command("git", "-C", "..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(strings.TrimRight(string(list), "\x00"), "\x00") {
		if _, err := os.Stat(filepath.Join("..", name)); err == nil { // else it is deleted, but not yet in the index
			files = append(files, name)
		}
	}
	return files
}
