package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"undertone/engine/checkpoint"
	"undertone/engine/fault"
)

// inspectParts tells what published files and folders are, part by part, and what is
// missing for a picture.
func inspectParts(paths []string, stdout io.Writer) error {
	found, done, err := identify(paths)
	defer done()
	if err != nil {
		return err
	}
	return writeParts(found, stdout)
}

// inspectAsPart tells what a weight file is as a part of a model, or why it is none:
// any file may be listed.
func inspectAsPart(name string, stdout io.Writer) error {
	files, done, err := checkpoint.Open(name)
	defer done()
	if err != nil {
		return err
	}
	found, err := checkpoint.Identify(files)
	if err != nil {
		_, err := fmt.Fprintf(stdout, "\nas a published model: %s\n", oneLine(fault.Of(err).Message))
		return err
	}
	fmt.Fprint(stdout, "\nas a published model: ")
	return writeParts(found, stdout)
}

func writeParts(found *checkpoint.Found, stdout io.Writer) error {
	if found.Variant != "" {
		fmt.Fprintf(stdout, "%s: %d steps, guidance %g, classifier-free guidance %g, schedule %s\n", found.Variant, found.Steps, found.Guidance, found.CFG, found.Schedule)
	}
	if found.Variant == "" {
		fmt.Fprintln(stdout, "parts without a transformer")
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PART\tIS\tTYPE\tSIZE\tLARGEST\tFILES")
	parts := found.Parts
	if found.Adapter != nil {
		parts = append(slices.Clone(parts), *found.Adapter)
	}
	for _, p := range parts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", strings.TrimSpace(p.Role+" "+p.Name), p.Title, quoted(p.Type), size(p.Bytes), size(p.Largest), strings.Join(quotedAll(p.Files), " "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range parts {
		fmt.Fprintf(stdout, "%s: %s\n", strings.TrimSpace(p.Role+" "+p.Name), p.Config)
	}
	for _, name := range slices.Sorted(maps.Keys(found.Tokenizers)) {
		fmt.Fprintf(stdout, "words of %s: %s\n", name, strings.Join(quotedAll(found.Tokenizers[name]), " "))
	}
	for _, m := range found.Missing {
		needed := "missing"
		if m.Optional {
			needed = "missing, and not needed"
		}
		fmt.Fprintf(stdout, "%s: %s, usually %s in %s\n", needed, m.What, m.File, m.Where)
	}
	for _, name := range found.Ignored {
		fmt.Fprintf(stdout, "left out: %s, which model_index.json does not name\n", quoted(name))
	}
	_, err := fmt.Fprintf(stdout, "%s tensors are read by no part\n", grouped(int64(found.Unused)))
	return err
}

func quotedAll(names []string) (out []string) {
	for _, name := range names {
		out = append(out, quoted(name))
	}
	return out
}
