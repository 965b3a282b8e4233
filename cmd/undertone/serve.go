package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"undertone/cmd/undertone/internal/input"
	"undertone/cmd/undertone/internal/site"
	"undertone/engine/weights"
)

// serve serves a built site on loopback.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("serve", "[DIR]", stderr)
	addr := fs.String("addr", "127.0.0.1:8080", "address and port to listen on")
	if err := fs.Parse(args); err != nil {
		return err
	}
	dir, err := siteFolder(fs)
	if err != nil {
		return err
	}
	return site.Serve(ctx, *addr, dir, stdout, stderr)
}

// siteFolder is the one folder that may be named, dist without it.
func siteFolder(fs *flagSet) (string, error) {
	switch fs.NArg() {
	case 0:
		return "dist", nil
	case 1:
		return fs.Arg(0), nil
	}
	return "", usagef("name one folder, not %d", fs.NArg())
}

// dist builds the static site from the repository in the working directory.
func dist(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("dist", "", stderr)
	out := fs.String("out", "dist", "the folder to write: new, empty, or a site that dist wrote, of which it replaces its own files only")
	root := fs.String("root", ".", "the repository: index.html and web/")
	engine := fs.String("engine", "build/engine.wasm", "the WebAssembly program of the worker")
	page := fs.String("page", "build/page.wasm", "the WebAssembly program of the window")
	laboratory := fs.String("lab", "build/lab.wasm", "the WebAssembly program of the Lab")
	measures := fs.String("bench", "build/bench.wasm", "the WebAssembly program of the bench")
	exec := fs.String("exec", "build/wasm_exec.js", "Go's wasm_exec.js")
	chinese := fs.String("chinese", "", "the page's texts in Chinese (wasm/page/words/zh.json)")
	twins := fs.Bool("twins", false, "also write brotli and gzip twins")
	kill := fs.Bool("kill", false, "make sw.js the kill switch: it removes the service worker and its caches from every browser that comes by")
	archive := fs.String("zip", "", "also write the site, with what its host needs to know, as undertone-VERSION.zip into this folder")
	npm := fs.String("npm", "", "also write the API and the models as the npm package undertone-VERSION.tgz into this folder")
	var at site.Addresses
	place := func(to *string, parse func(string) (string, error)) func(string) error {
		return func(text string) (err error) { *to, err = parse(text); return err }
	}
	fs.Func("url", "the address at which the site will be, https://…/: what shows previews of links needs it", place(&at.URL, site.ParseFolder))
	fs.Func("source", "the address of the source code, for a link at the foot of the page", place(&at.Source, site.ParseAddress))
	fs.Func("docs", "the address of the documentation, for a link at the foot of the page", place(&at.Docs, site.ParseAddress))
	var models []string
	fs.Func("model", "a converted model's folder; may be given more than once", func(s string) error {
		models = append(models, s)
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usagef("dist takes flags only, not %q", fs.Arg(0))
	}
	if err := isFolder("--out", *out); err != nil {
		return err
	}
	if *archive == "-" {
		return usagef("--zip -: name a folder for the zip")
	}
	version, err := input.Read(ctx, filepath.Join(*root, "VERSION"), 1<<10)
	if err != nil {
		return fmt.Errorf("%q is not Undertone's repository, of whose files a site is made: run dist there, or name it with --root: %w", *root, err)
	}
	name := strings.TrimSpace(string(version))
	err = site.Build(ctx, site.Options{
		Root: *root, Out: *out, Models: models, Twins: *twins, Kill: *kill, Name: name, Addresses: at,
		Extra: map[string]string{"engine.wasm": *engine, "page.wasm": *page, "lab.wasm": *laboratory, "bench.wasm": *measures, "wasm_exec.js": *exec, "zh.json": cmp.Or(*chinese, filepath.Join(*root, "wasm", "page", "words", "zh.json"))},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", *out)
	if *archive != "" {
		pack := func(w io.Writer) error { return site.Zip(ctx, w, "undertone-"+name, *root, *out) }
		if err := release(filepath.Join(*archive, "undertone-"+name+".zip"), pack, stdout); err != nil {
			return err
		}
	}
	if *npm != "" {
		pack := func(w io.Writer) error { return site.Npm(ctx, w, name, *root, *out) }
		return release(filepath.Join(*npm, "undertone-"+name+".tgz"), pack, stdout)
	}
	return nil
}

// release writes a built site as one file.
func release(file string, pack func(io.Writer) error, stdout io.Writer) error {
	if err := weights.WriteFile(file, pack); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", file)
	return nil
}
