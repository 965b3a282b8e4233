package site

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"undertone/engine/testing/networks"
)

// source writes a little repository: two scripts that refer to each other's
// assets, a style, and a converted model of one file.
func source(t *testing.T) Options {
	t.Helper()
	root := t.TempDir()
	put(t, filepath.Join(root, "index.html"), `<link href="./web/style.css"><link href="./page.wasm">`+versionTag+`<main data-models="x"><script src="./undertone.js"></script>`)
	put(t, filepath.Join(root, "web/embed.html"), `<link href="./style.css">`+versionTag+`<main data-models="x">`)
	put(t, filepath.Join(root, "web/element.js"), sizesLine+` import("./host.js"); "./embed.html"`)
	put(t, filepath.Join(root, "web/element.d.ts"), `export class UndertoneDemo {}`)
	put(t, filepath.Join(root, "web/value.js"), `export class UndertoneValue {}`)
	put(t, filepath.Join(root, "web/value.d.ts"), `export class UndertoneValue {}`)
	put(t, filepath.Join(root, "web/host.js"), `"./embed.html"`)
	put(t, filepath.Join(root, "LICENSE"), "the licence")
	put(t, filepath.Join(root, "NOTICE"), "what is in it")
	put(t, filepath.Join(root, "web/undertone.d.ts"), `export class Undertone {}`)
	put(t, filepath.Join(root, "docs/bundlers.md"), "# How to\n\nBuild it: [there](hosting.md#a-b), [types](../web/x.d.ts) ![p](images/p.png)")
	put(t, filepath.Join(root, "docs/hosting.md"), "# Hosting\n\n## A b\n")
	put(t, filepath.Join(root, "docs/images/p.png"), "picture")
	put(t, filepath.Join(root, "web/undertone.js"), `new Worker("./worker.js"); fetch('./engine.wasm'); fetch("./models/x.json")`)
	put(t, filepath.Join(root, "web/worker.js"), `import "./protocol.js"`)
	put(t, filepath.Join(root, "web/protocol.js"), `export const version = 1`+strings.Repeat(" ", 2000))
	put(t, filepath.Join(root, "web/style.css"), `body{background:url(./icon.svg)}`)
	put(t, filepath.Join(root, "web/icon.svg"), `<svg/>`)
	put(t, filepath.Join(root, "web/notes.md"), `not served`)
	put(t, filepath.Join(root, "web/sw.js"), "start\n"+shellLine+"\nend")
	put(t, filepath.Join(root, "web/kill.js"), "kill")
	put(t, filepath.Join(root, "engine.wasm"), "\x00asm")
	put(t, filepath.Join(root, "page.wasm"), "\x00asm")
	networks.WriteSmall(t, filepath.Join(root, "model/tiny"), 0)
	return Options{Root: root, Extra: map[string]string{"engine.wasm": filepath.Join(root, "engine.wasm"), "page.wasm": filepath.Join(root, "page.wasm")},
		Models: []string{filepath.Join(root, "model/tiny")}, Out: filepath.Join(root, "dist"), Twins: true, Name: "1.2.3"}
}

func read(t *testing.T, p string) string {
	t.Helper()
	b, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestBuildRewritesReferences(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"index.html":                   `^<link href="\./assets/style\.[0-9a-f]{12}\.css"><link href="\./assets/page\.[0-9a-f]{12}\.wasm"><meta name="version" content="1\.2\.3"><main data-models="models/tiny/model\.json"><script src="\./assets/undertone\.[0-9a-f]{12}\.js"></script>$`,
		"undertone.js":                 `^new Worker\("\./assets/worker\.[0-9a-f]{12}\.js"\); fetch\('\./assets/engine\.[0-9a-f]{12}\.wasm'\); fetch\("\./models/x\.json"\)$`,
		"docs/bundlers.html":           `<a href="hosting\.html#a-b">there</a>, types <img src="\.\./assets/p\.[0-9a-f]{12}\.png"`,
		"docs/index.html":              `<dt><a href="bundlers\.html">How to</a></dt>\s*<dd>Build it: there, types p</dd>\s*<dt><a href="hosting\.html">Hosting</a>`,
		"embed.html":                   `^<link href="\./assets/style\.[0-9a-f]{12}\.css"><meta name="version" content="1\.2\.3"><main data-models="models/tiny/model\.json">$`,
		"element.js":                   `^const site = \{"bytes":\d{3},"models":\{"tiny":\d{7}\}\}; import\("\./assets/host\.[0-9a-f]{12}\.js"\); "\./embed\.html"$`,
		"models/tiny/model.json":       `"path": "dit\.[0-9a-f]{12}\.safetensors"`,
		"models/tiny/description.json": `"model": "fixture",`,
	} {
		if got := read(t, filepath.Join(o.Out, file)); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: got %s, want match of %s", file, got, want)
		}
	}
	worker, _ := filepath.Glob(filepath.Join(o.Out, "assets/worker.*.js"))
	if len(worker) != 1 || !regexp.MustCompile(`^import "\./protocol\.[0-9a-f]{12}\.js"$`).MatchString(read(t, worker[0])) {
		t.Errorf("worker: %v", worker)
	}
	if twins, _ := filepath.Glob(filepath.Join(o.Out, "assets/protocol.*.js.br")); len(twins) != 1 {
		t.Errorf("brotli twins of protocol.js: %v", twins)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Out, "assets/notes*")); len(left) != 0 {
		t.Errorf("notes are served: %v", left)
	}
	if n := strings.Count(read(t, filepath.Join(o.Out, "SHA256SUMS")), "\n"); n != 41 {
		t.Errorf("SHA256SUMS lists %d files, want 41", n)
	}
	for name, want := range map[string]string{"LICENSE.txt": "the licence", "NOTICE.txt": "what is in it"} {
		if got := read(t, filepath.Join(o.Out, name)); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
}

// TestBuildIntroducesTheModel: what the page says of the shipped model is left out
// where another is proposed.
func TestBuildIntroducesTheModel(t *testing.T) {
	for name, want := range map[string]string{"sprites": "<p>all<!-- sprites --> of it<!-- /sprites --></p>", "fixture": "<p>all</p>"} {
		o := source(t)
		put(t, filepath.Join(o.Root, "index.html"), "<p>all<!-- sprites --> of it<!-- /sprites --></p>")
		manifest := filepath.Join(o.Root, "model/tiny/model.json")
		put(t, manifest, strings.Replace(read(t, manifest), `"name":"fixture"`, `"name":"`+name+`"`, 1))
		if err := Build(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(o.Out, "index.html")); got != want {
			t.Errorf("with the model %s: %s, want %s", name, got, want)
		}
	}
}

func TestBuildRefusesCircles(t *testing.T) {
	o := source(t)
	if err := os.WriteFile(filepath.Join(o.Root, "web/protocol.js"), []byte(`import "./worker.js"`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("got %v, want an error about a circle", err)
	}
}

func TestHashFollowsWhatIsReferredTo(t *testing.T) {
	o := source(t)
	name := func() string {
		if err := Build(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		m, _ := filepath.Glob(filepath.Join(o.Out, "assets/worker.*.js"))
		return filepath.Base(m[0])
	}
	before := name()
	if err := os.WriteFile(filepath.Join(o.Root, "web/protocol.js"), []byte(`export const version = 2`), 0o644); err != nil {
		t.Fatal(err)
	}
	if after := name(); after == before {
		t.Errorf("worker.js kept the name %s although protocol.js changed", after)
	}
}

func TestHandler(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(Handler(o.Out))
	defer s.Close()
	protocol, _ := filepath.Glob(filepath.Join(o.Out, "assets/protocol.*.js"))
	asset := "/assets/" + filepath.Base(protocol[0])
	get := func(path string, header ...string) (*http.Response, string) {
		t.Helper()
		req, _ := http.NewRequest("GET", s.URL+path, nil)
		req.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	check := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	res, body := get("/")
	check("status of /", res.StatusCode, 200)
	check("type of /", res.Header.Get("Content-Type"), "text/html; charset=utf-8")
	check("cache of /", res.Header.Get("Cache-Control"), "no-cache")
	check("body of /", strings.HasPrefix(body, "<link"), true)

	check("policy of a page, which brings its own", res.Header.Get("Content-Security-Policy"), "")
	check("isolation of the page", res.Header.Get("Cross-Origin-Embedder-Policy"), "")
	res, _ = get("/embed.html")
	check("isolation of the embed", res.Header.Get("Cross-Origin-Embedder-Policy"), embedderPolicy)
	check("whoever embeds it", res.Header.Get("Cross-Origin-Resource-Policy"), "cross-origin")
	res, _ = get("/sw.js")
	check("policy of the service worker", res.Header.Get("Content-Security-Policy"), swPolicy)
	check("cache of the service worker", res.Header.Get("Cache-Control"), "no-cache")

	res, plain := get(asset)
	check("policy of a worker's script", res.Header.Get("Content-Security-Policy"), enginePolicy)
	check("isolation of a worker's script", res.Header.Get("Cross-Origin-Embedder-Policy"), embedderPolicy)
	check("cache of an asset", res.Header.Get("Cache-Control"), "public, max-age=31536000, immutable")
	etag := res.Header.Get("ETag")
	res, _ = get(asset, "If-None-Match", etag)
	check("status with the validator", res.StatusCode, 304)
	res, body = get(asset, "Range", "bytes=7-11", "Accept-Encoding", "br")
	check("status of a range", res.StatusCode, 206)
	check("a range is of the plain file", body, plain[7:12])
	res, body = get(asset, "Range", "bytes=7-11", "If-Range", `"other"`)
	check("a changed file is sent whole", body, plain)
	res, _ = get(asset, "Range", "bytes=999999-")
	check("status of a range outside", res.StatusCode, 416)
	res, _ = get(asset, "Accept-Encoding", "gzip, br")
	check("coding", res.Header.Get("Content-Encoding"), "br")
	check("a twin has a validator of its own", res.Header.Get("ETag") != etag, true)
	res, _ = get(asset, "Accept-Encoding", "br;q=0, gzip")
	check("coding without br", res.Header.Get("Content-Encoding"), "gzip")
	res, _ = get("/nothing.gguf")
	check("status of a missing file", res.StatusCode, 404)
	res, _ = get("/assets/nothing.js")
	check("policy of a missing file", res.Header.Get("Content-Security-Policy"), "")
	res, _ = get("/../site_test.go")
	check("status outside the folder", res.StatusCode, 404)
}

func TestServeNamesTheNextStep(t *testing.T) {
	o, l := builtFor(t, "127.0.0.1:0")
	defer l.Close()
	err := Serve(context.Background(), l.Addr().String(), o.Out, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "taken by another program: choose another port, for example make run ADDR=127.0.0.1:8081") {
		t.Errorf("taken port: %v", err)
	}
	if err := Serve(context.Background(), "127.0.0.1:0", t.TempDir(), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "make dist") {
		t.Errorf("empty folder: %v", err)
	}
}
