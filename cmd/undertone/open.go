package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/weights"
)

// isBundle reports whether paths are the one folder of a model with a model.json.
func isBundle(paths []string) bool {
	if len(paths) != 1 {
		return false
	}
	_, err := os.Lstat(filepath.Join(paths[0], "model.json"))
	return err == nil
}

// openAdapted is openModel for a model with a pooled adapter beside it, where adapter names
// its file.
func openAdapted(ctx context.Context, paths []string, adapter string) (b *weights.Bundle, done func(), err error) {
	if adapter == "" {
		return openModel(ctx, paths)
	}
	if !isBundle(paths) {
		return openModel(ctx, append(slices.Clone(paths), adapter))
	}
	if b, _, err = openModel(ctx, paths); err != nil {
		return nil, func() {}, err
	}
	found, done, err := identify([]string{adapter})
	if err != nil {
		return nil, done, err
	}
	b, err = engine.Adapt(b, found)
	return b, done, err
}

// openModel opens a folder with a model.json, or published files and folders that are a
// whole model together. done closes what was opened, when the bundle is used no more.
func openModel(ctx context.Context, paths []string) (b *weights.Bundle, done func(), err error) {
	if isBundle(paths) {
		b, err = weights.LoadBundle(ctx, weights.Dir(paths[0]), "model.json")
		return b, func() {}, err
	}
	found, done, err := identify(paths)
	if err != nil {
		return nil, done, err
	}
	b, err = engine.Open(found)
	return b, done, err
}

// identify finds out what published files and folders are. done closes them.
func identify(paths []string) (found *checkpoint.Found, done func(), err error) {
	files, done, err := checkpoint.Open(paths...)
	if err != nil {
		return nil, done, err
	}
	found, err = checkpoint.Identify(files)
	return found, done, err
}
