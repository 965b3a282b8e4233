package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"undertone/lab"
)

// votes puts people's votes together, as the Lab in the browser does, and writes what comes
// of them.
func (f *labFlags) votes(ctx context.Context, stdout io.Writer) error {
	var all *lab.Results
	for _, file := range f.paths {
		r, err := readResults(ctx, file)
		if err != nil {
			return err
		}
		if r.Experiment != f.experiment.Name {
			return usagef("%s holds results of %q, and no votes", file, r.Experiment)
		}
		if all == nil { // its rows are those of one voter at least, each once
			all = r
			continue
		}
		if _, err := all.Merge(r); err != nil {
			return fmt.Errorf("%s beside %s: %w", file, f.paths[0], err)
		}
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	if err := writeResults(filepath.Join(f.out, all.Experiment+".json"), all); err != nil {
		return err
	}
	return publishResults(f, all, stdout)
}
