package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// inspect lists a weight file, or all weight files of a model, or tells what published
// files are together.
func inspect(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("inspect", "FILE|FOLDER…", stderr)
	plan := fs.Bool("plan", false, "of a model: what its first picture takes, in arithmetic, operations and memory, instead of its files")
	var pixels recipe.Size
	sizeFlag(fs, &pixels)
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch {
	case fs.NArg() == 0:
		return usagef("name one weight file or model folder, or several that are one model")
	case pixels.Width > 0 && !*plan:
		return usagef("--size is for --plan")
	case *plan:
		return inspectPlan(ctx, fs.Args(), pixels, stdout)
	case fs.NArg() > 1:
		return inspectParts(fs.Args(), stdout)
	}
	name := fs.Arg(0)
	info, err := os.Stat(name)
	switch folder := err == nil && info.IsDir(); {
	case folder && !isBundle(fs.Args()):
		return inspectParts(fs.Args(), stdout)
	case folder:
		return inspectModel(ctx, name, stdout)
	}
	if err := inspectFile(name, stdout); err != nil {
		return err
	}
	return inspectAsPart(name, stdout)
}

func inspectModel(ctx context.Context, folder string, stdout io.Writer) error {
	b, err := weights.LoadBundle(ctx, weights.Dir(folder), "model.json")
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s (%s), family %s, revision %s\nlicences: weights %s; data %s\n%s parameters, %s to download\n",
		b.Title, b.Name, b.Family, b.Revision, b.Licenses.Weights, b.Licenses.Data,
		grouped(b.Parameters().All()), size(b.Bytes()))
	for _, f := range b.Files {
		src, _, err := b.OpenFile(ctx, f.Name)
		if err != nil {
			return err
		}
		err = f.Verify(ctx, src, nil)
		weights.Close(src)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "\n%s: %s, %s, hashes match\n", f.Name, f.Path, size(f.Bytes))
		if f.Role == "tokenizer" {
			continue
		}
		if err := inspectFile(filepath.Join(folder, filepath.FromSlash(f.Path)), stdout); err != nil {
			return err
		}
	}
	return nil
}

// inspectPlan tells what a picture with the model's own settings takes, of the size that is
// asked for where one is, and of published files what each part is.
func inspectPlan(ctx context.Context, paths []string, pixels recipe.Size, stdout io.Writer) error {
	if isBundle(paths) {
		b, err := weights.LoadBundle(ctx, weights.Dir(paths[0]), "model.json")
		if err != nil {
			return err
		}
		return writePlan(&b.Manifest, pixels, stdout)
	}
	found, done, err := identify(paths)
	defer done()
	if err != nil {
		return err
	}
	if err := writeParts(found, stdout); err != nil {
		return err
	}
	m, err := engine.Offer(found)
	if err != nil {
		return err
	}
	return writePlan(m, pixels, stdout)
}

func writePlan(m *weights.Manifest, pixels recipe.Size, stdout io.Writer) error {
	d := m.Defaults
	if pixels.Width > 0 {
		d.Size = pixels
	}
	e, err := engine.EstimateModel(m, engine.Request{Steps: d.Steps, Size: d.Size, CFG: d.CFG}, op.PortableLimits())
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %d × %d pixels, %d steps, %.2f GFLOP with one prompt\n", m.Name, d.Size.Width, d.Size.Height, d.Steps, e.FLOPs(d.Steps, 1)/1e9)
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PART\tGFLOP\tOPERATIONS\tTEMPORARIES")
	for _, p := range []struct {
		name string
		engine.Cost
	}{{"a prompt", e.Text}, {"times", e.Times}, {"modulation", e.Modulation}, {"a step", e.Step}, {"decoding", e.Decode}} {
		fmt.Fprintf(w, "%s\t%.3f\t%d\t%s\n", p.name, p.FLOPs/1e9, p.Operations, size(p.TempBytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nFILE\tON DISK\tON THE DEVICE\tAT ONCE\tLARGEST WEIGHT")
	for _, p := range e.Parts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Name, size(p.DiskBytes), size(p.DeviceBytes), size(p.PeakBytes), size(p.LargestBytes))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "weights %s, other tensors %s, at most about %s at once, %s where weights come and go; where a device binds %s at once, the largest tensor has %s; the largest weight has %s elements\n",
		size(e.WeightBytes), size(e.FixedBytes), size(e.PeakBytes), size(e.LeastBytes), size(op.PortableBinding), size(e.LargestTensor), grouped(e.LargestWeight))
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
	if x.Gaps > 0 || x.Tail > 0 {
		fmt.Fprintf(stdout, "%s between the tensors and %s behind them belong to none\n", size(x.Gaps), size(x.Tail))
	}
	for _, p := range x.Meta {
		fmt.Fprintf(stdout, "  %s = %s\n", named(p.Key), abridged(p.Value))
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TENSOR\tTYPE\tSHAPE\tBYTES")
	totals := map[string]*total{}
	for _, t := range x.Tensors {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", named(t.Name), quoted(t.Type), shape(t.Shape), stored(t.Bytes))
		if totals[t.Type] == nil {
			totals[t.Type] = &total{}
		}
		totals[t.Type].add(t)
	}
	for _, k := range slices.Sorted(maps.Keys(totals)) {
		n := totals[k]
		fmt.Fprintf(w, "total of %s\t%s tensors\t%s elements\t%s\n", quoted(k), grouped(n.tensors), grouped(n.elems), stored(n.bytes))
	}
	return w.Flush()
}

// total adds up the tensors of one type.
type total struct{ tensors, elems, bytes int64 }

func (n *total) add(t weights.Tensor) {
	n.tensors++
	n.elems += t.Elems()
	if t.Bytes == weights.UnknownBytes || n.bytes == weights.UnknownBytes {
		n.bytes = weights.UnknownBytes
		return
	}
	n.bytes += t.Bytes
}

// stored is the size of a tensor, which a type that is not known here does not tell.
func stored(n int64) string {
	if n == weights.UnknownBytes {
		return "unknown"
	}
	return grouped(n)
}

// named is the name of a tensor or a metadata key; an absurdly long one is cut.
func named(s string) string {
	if len(s) > 256 {
		return clipped(s, 100)
	}
	return quoted(s)
}

// clipped is at most the first n characters of s, in quotes.
func clipped(s string, n int) string {
	at := 0
	for i := range s {
		if at++; at > n {
			return fmt.Sprintf("%s … (%s characters)", strconv.QuoteToGraphic(s[:i]), grouped(int64(utf8.RuneCountInString(s))))
		}
	}
	return strconv.QuoteToGraphic(s)
}

// abridged shows a metadata value on one short line.
func abridged(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return clipped(v, 100)
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return fmt.Sprint(v)
	}
	const most = 8
	var items []string
	for i := range min(r.Len(), most) {
		switch item := r.Index(i).Interface().(type) {
		case string:
			items = append(items, clipped(item, 40))
		default:
			if inner := reflect.ValueOf(item); inner.Kind() == reflect.Slice {
				items = append(items, fmt.Sprintf("[%s values]", grouped(int64(inner.Len()))))
				continue
			}
			items = append(items, fmt.Sprint(item))
		}
	}
	s := "[" + strings.Join(items, " ")
	if r.Len() > most {
		return fmt.Sprintf("%s … (%s values)", s, grouped(int64(r.Len())))
	}
	return s + "]"
}

func shape(dims []int) string {
	if len(dims) == 0 {
		return "one value"
	}
	s := strings.Trim(strings.ReplaceAll(fmt.Sprint(dims[:min(len(dims), 16)]), " ", " × "), "[]")
	if len(dims) > 16 {
		s += fmt.Sprintf(" … (%s dimensions)", grouped(int64(len(dims))))
	}
	return s
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
