package e2e

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserBundlers installs the npm package in a little app, builds that with
// every bundler of docs/bundlers.md by the commands that stand there, and draws a
// picture in each build.
func TestBrowserBundlers(t *testing.T) {
	t.Parallel()
	if !exists("testdata/bundlers/node_modules") {
		t.Skip("the bundlers are not installed: npm ci --prefix e2e/testdata/bundlers")
	}
	doc, err := os.ReadFile("../docs/bundlers.md")
	if err != nil {
		t.Fatal(err)
	}
	app := newApp(t)
	s := serveFolder(t, app)
	b := open(t, s.URL+"/blank.html", options{noGPU: true})
	draw := func(address string) string {
		b.t.Helper()
		b.run(chromedp.Navigate(address))
		b.until("globalThis.drawn !== undefined")
		var got struct {
			Hash    string
			Colours int
		}
		b.eval("return test.picture(drawn)", &got)
		if got.Colours < 10 {
			b.t.Errorf("the picture has %d colours", got.Colours)
		}
		if c := b.complaints(); len(c) > 0 {
			b.t.Errorf("the page complains: %q", c)
		}
		return got.Hash
	}

	b.step("types", func(t *testing.T) {
		follow(t, app, "node_modules/.bin/tsc --noEmit --strict --jsx react-jsx --module nodenext --target es2022 --lib es2022,dom typed.tsx")
	})
	follow(t, app, section(t, string(doc), "No bundler"))
	want := draw(s.URL + "/plain.html")
	for _, bundler := range []string{"Vite", "esbuild", "webpack"} {
		b.step(bundler, func(t *testing.T) {
			if err := os.RemoveAll(filepath.Join(app, "dist")); err != nil {
				t.Fatal(err)
			}
			follow(t, app, section(t, string(doc), bundler))
			if got := draw(s.URL + "/dist/"); got != want {
				t.Errorf("the picture differs from that of the plain folder")
			}
		})
	}
	b.step("Vite while developing", func(t *testing.T) {
		if got := draw(develop(t, app)); got != want {
			t.Errorf("the picture differs from that of the plain folder")
		}
		b.run(chromedp.Navigate(s.URL + "/dist/"))
	})
	b.step("mistakes", func(t *testing.T) {
		write(t, filepath.Join(app, "bundled.js"), `import "undertone/site/undertone.js";`)
		built := exec.Command("node_modules/.bin/esbuild", "bundled.js", "--bundle", "--outfile=bundled.out.js")
		built.Dir = app
		if out, err := built.CombinedOutput(); err == nil || !strings.Contains(string(out), "not exported") {
			t.Errorf("the API itself can be bundled: %v, %s", err, out)
		}
		elsewhere := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
		for folder, says := range map[string]string{
			"nowhere": s.URL + "/dist/nowhere/undertone.js could not be imported",
			elsewhere: "browsers start workers only from the page's own origin",
		} {
			var got string
			b.call("host.importFault", &got, "/node_modules/undertone/index.js", folder)
			if !strings.Contains(got, says) {
				t.Errorf("%s: it says %q, want %q", folder, got, says)
			}
		}
	})
}

// newApp makes the app's folder, with the package installed from its file and the
// bundlers beside it.
func newApp(t *testing.T) string {
	t.Helper()
	in := func(name string) string { return built(t, name) }
	app := filepath.Join(t.TempDir(), "app")
	if err := commands(exec.Command("cp", "-r", "testdata/bundlers/app", app),
		exec.Command(in("undertone"), append([]string{"dist", "--root", "..", "--out", filepath.Join(t.TempDir(), "site"), "--model", smallModel(t), "--npm", app}, inFolder(built(t))...)...)); err != nil {
		t.Fatal(err)
	}
	packed, err := filepath.Glob(filepath.Join(app, "undertone-*.tgz"))
	if err != nil || len(packed) != 1 {
		t.Fatalf("the packages that were written: %v, %v", packed, err)
	}
	follow(t, app, "npm install --offline --no-fund --no-audit ./"+filepath.Base(packed[0]))
	modules, err := filepath.Abs("testdata/bundlers/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(modules)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := filepath.Join(app, "node_modules", e.Name())
		if e.Name() == ".package-lock.json" {
			continue
		}
		if err := os.Symlink(filepath.Join(modules, e.Name()), name); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	return app
}

// develop starts Vite's server in the app's folder and returns its address.
func develop(t *testing.T, app string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	_, port, _ := strings.Cut(address, ":")
	c := exec.Command("node", "node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port", port, "--strictPort")
	c.Dir = app
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for range 200 {
		if line, err := net.Dial("tcp", address); err == nil {
			line.Close()
			return "http://" + address + "/"
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("Vite's server does not answer: %s", said.String())
	return ""
}

// section returns the commands of a section of a document: its indented lines.
func section(t *testing.T, doc, title string) string {
	t.Helper()
	_, text, found := strings.Cut(doc, "\n### "+title+"\n")
	text, _, _ = strings.Cut(text, "\n#")
	var lines []string
	for _, l := range strings.Split(text, "\n") {
		if command, indented := strings.CutPrefix(l, "    "); indented {
			lines = append(lines, command)
		}
	}
	if !found || len(lines) == 0 {
		t.Fatalf("the document has no commands for %s", title)
	}
	return strings.Join(lines, "\n")
}

// follow runs commands in a folder as a shell does, and stops at the first that fails.
func follow(t *testing.T, folder, script string) {
	t.Helper()
	c := exec.Command("bash", "-euo", "pipefail", "-c", script)
	c.Dir = folder
	c.Env = append(os.Environ(), "npm_config_offline=true", "NO_COLOR=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
}
