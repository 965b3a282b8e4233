package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// node runs a module in Node, with the window's scripts in a folder whose address it is
// told, and returns what it wrote. A program that does not end by itself is an error.
func node(t *testing.T, script string) []byte {
	t.Helper()
	binary, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node: install it (Debian: apt install nodejs) to run this test")
	}
	dir := t.TempDir()
	scripts, err := filepath.Glob("../../web/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%v, %v", scripts, err)
	}
	copied := map[string]string{"package.json": `{"type":"module"}`, "script.mjs": script}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		copied[filepath.Base(name)] = string(text)
	}
	for name, text := range copied {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, binary, filepath.Join(dir, "script.mjs"), "file://"+dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v, %v\n%s", err, ctx.Err(), out)
	}
	return out
}

// TestWindow runs the checks of testdata/window.mjs.
func TestWindow(t *testing.T) {
	script, err := os.ReadFile("testdata/window.mjs")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(node(t, string(script))))
	n := 0
	for ; d.More(); n++ {
		var c struct {
			Name  string
			Wrong *string
		}
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			if c.Wrong != nil {
				t.Error(*c.Wrong)
			}
		})
	}
	if n < 8 {
		t.Errorf("only %d checks have run", n)
	}
}

// TestImport imports the API where there is no browser, and where a browser refuses
// whatever is asked of it: the import has no effect but what it exports, so that it
// resolves, and Node ends by itself.
func TestImport(t *testing.T) {
	const load = `
		const { Undertone, UndertoneError } = await import(process.argv[2] + "/undertone.js");
		const failed = await Undertone.load("https://example.org/model.json", { device: "cpu" }).catch((e) => e);
		const { available } = await Undertone.storage();
		const removed = await Undertone.remove().catch((e) => e);
		const wrong = !(failed instanceof UndertoneError) || available || await Undertone.persist() || !(removed instanceof UndertoneError);
		if (wrong) throw new Error([failed, available, removed].join(", "));`
	for name, script := range map[string]string{
		"import": `await import(process.argv[2] + "/undertone.js")`,
		"use":    load,
		"refused": `
			const refuse = (o, name) => Object.defineProperty(o, name, { get() { throw new DOMException("not here", "SecurityError"); } });
			globalThis.trustedTypes = { createPolicy() { throw new TypeError("not allowed"); } };
			Object.defineProperty(globalThis, "navigator", { value: {} });
			for (const name of ["storage", "locks", "serviceWorker", "gpu"]) refuse(navigator, name);
			for (const name of ["BroadcastChannel", "localStorage", "indexedDB", "caches", "Worker", "crypto", "isSecureContext"]) refuse(globalThis, name);
			` + load + `
			const none = await Undertone.load("https://example.org/model.json").catch((e) => e);
			if (none.code !== "insecure-context") throw none;`,
	} {
		t.Run(name, func(t *testing.T) { node(t, script) })
	}
}
