package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"undertone/cmd/undertone/internal/site"
)

// serve serves a built site on loopback.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("serve", "[DIR]", stderr)
	addr := fs.String("addr", "127.0.0.1:8080", "address and port to listen on")
	if err := fs.Parse(args); err != nil {
		return err
	}
	dir := "dist"
	if fs.NArg() > 0 {
		dir = fs.Arg(0)
	}
	return site.Serve(ctx, *addr, dir, stdout)
}

// dist builds the static site from the repository in the working directory.
func dist(_ context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("dist", "", stderr)
	out := fs.String("out", "dist", "the folder to write; replaced as a whole")
	root := fs.String("root", ".", "the repository: index.html and web/")
	wasm := fs.String("wasm", "build/undertone.wasm", "the WebAssembly program")
	exec := fs.String("exec", "build/wasm_exec.js", "Go's wasm_exec.js")
	twins := fs.Bool("twins", false, "also write brotli and gzip twins")
	kill := fs.Bool("kill", false, "make sw.js the kill switch: it removes the service worker and its caches from every browser that comes by")
	archive := fs.String("zip", "", "also write the site, with what its host needs to know, as undertone-VERSION.zip into this folder")
	var models []string
	fs.Func("model", "a converted model's folder; may be given more than once", func(s string) error {
		models = append(models, s)
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return err
	}
	version, err := os.ReadFile(filepath.Join(*root, "VERSION"))
	if err != nil {
		return err
	}
	name := strings.TrimSpace(string(version))
	err = site.Build(site.Options{
		Root: *root, Out: *out, Models: models, Twins: *twins, Kill: *kill, Name: name,
		Extra: map[string]string{"undertone.wasm": *wasm, "wasm_exec.js": *exec},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", *out)
	if *archive == "" {
		return nil
	}
	return release(filepath.Join(*archive, "undertone-"+name+".zip"), *root, *out, stdout)
}

// release packs a built site.
func release(file, root, dir string, stdout io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := site.Zip(f, strings.TrimSuffix(filepath.Base(file), ".zip"), root, dir); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", file)
	return nil
}
