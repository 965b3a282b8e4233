package main

import (
	"context"
	"fmt"
	"io"

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
	var models []string
	fs.Func("model", "a converted model's folder; may be given more than once", func(s string) error {
		models = append(models, s)
		return nil
	})
	if err := fs.Parse(args); err != nil {
		return err
	}
	err := site.Build(site.Options{
		Root: *root, Out: *out, Models: models, Twins: *twins,
		Extra: map[string]string{"undertone.wasm": *wasm, "wasm_exec.js": *exec},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s\n", *out)
	return nil
}
