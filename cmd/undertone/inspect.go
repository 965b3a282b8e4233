package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"

	"undertone/engine/weights"
)

// inspect lists a weight file, or all weight files of a model.
func inspect(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("inspect", "FILE|MODEL_DIR", stderr)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usagef("name one weight file or model folder")
	}
	name := fs.Arg(0)
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return inspectModel(ctx, name, stdout)
	}
	return inspectFile(name, stdout)
}

func inspectModel(ctx context.Context, folder string, stdout io.Writer) error {
	b, err := weights.LoadBundle(ctx, weights.Dir(folder), "model.json")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s (%s), family %s, revision %s\nlicences: weights %s; data %s\n%s parameters, %s to download\n",
		b.Title, b.Name, b.Family, b.Revision, b.Licenses.Weights, b.Licenses.Data,
		grouped(b.Parameters.DiT+b.Parameters.Text+b.Parameters.VAE), size(b.Bytes()))
	for _, f := range b.Files {
		src, _, err := b.OpenFile(ctx, f.Role)
		if err != nil {
			return err
		}
		err = f.Verify(ctx, src, nil)
		weights.Close(src)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "\n%s: %s, %s, hashes match\n", f.Role, f.Path, size(f.Bytes))
		if f.Role == "tokenizer" {
			continue
		}
		if err := inspectFile(filepath.Join(folder, filepath.FromSlash(f.Path)), stdout); err != nil {
			return err
		}
	}
	return nil
}

func inspectFile(name string, stdout io.Writer) error {
	src, err := weights.OpenFile(name)
	if err != nil {
		return err
	}
	defer src.Close()
	x, err := weights.Survey(src)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s, %s tensors, %s\n", x.Format, grouped(int64(len(x.Tensors))), size(src.Size()))
	keys := make([]string, 0, len(x.Meta))
	for k := range x.Meta {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fmt.Fprintf(stdout, "  %s = %s\n", k, abridged(x.Meta[k]))
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TENSOR\tTYPE\tSHAPE\tBYTES")
	totals := map[string]*[3]int64{} // tensors, elements, bytes
	for _, t := range x.Tensors {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.Type, shape(t.Shape), grouped(t.Bytes))
		if totals[t.Type] == nil {
			totals[t.Type] = new([3]int64)
		}
		totals[t.Type][0]++
		totals[t.Type][1] += t.Elems()
		totals[t.Type][2] += t.Bytes
	}
	types := make([]string, 0, len(totals))
	for k := range totals {
		types = append(types, k)
	}
	slices.Sort(types)
	for _, k := range types {
		n := totals[k]
		fmt.Fprintf(w, "total of %s\t%s tensors\t%s elements\t%s\n", k, grouped(n[0]), grouped(n[1]), grouped(n[2]))
	}
	return w.Flush()
}

// abridged shows a metadata value on one short line.
func abridged(v any) string {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Len() > 8 {
		return fmt.Sprintf("%s … (%s values)", strings.TrimSuffix(fmt.Sprint(r.Slice(0, 8)), "]"), grouped(int64(r.Len())))
	}
	s := fmt.Sprint(v)
	if _, ok := v.(string); ok {
		s = fmt.Sprintf("%q", v)
	}
	if r := []rune(s); len(r) > 100 {
		return fmt.Sprintf("%s … (%s characters)", string(r[:100]), grouped(int64(len(r))))
	}
	return s
}

func shape(dims []int) string {
	if len(dims) == 0 {
		return "one value"
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(dims), " ", " × "), "[]")
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 10<<10:
		return grouped(n) + " bytes"
	case n < 10<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
