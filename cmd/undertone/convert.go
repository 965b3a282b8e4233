package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"undertone/engine/op"
	"undertone/engine/weights"
)

var targets = []op.DType{op.Q8_0, op.Q4_0, op.F16, op.BF16, op.F32}

// convert quantizes a model, or makes a model of published files, and prints what that cost and saved.
func convert(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("convert", "MODEL_DIR|PATH…", stderr)
	to := fs.String("to", "Q8_0", "the type of linear weights: Q8_0, Q4_0, F16, BF16 or F32")
	out := fs.String("out", "", "the folder to write")
	if err := fs.Parse(args); err != nil {
		return err
	}
	i := slices.IndexFunc(targets, func(d op.DType) bool { return strings.EqualFold(d.String(), *to) })
	switch {
	case fs.NArg() == 0 || *out == "":
		return usagef("name one model folder, or the published files of one model, and the folder to write with --out")
	case i < 0:
		return usagef("--to %s: the types are %v", *to, targets)
	case slices.ContainsFunc(fs.Args(), func(p string) bool { return sameFolder(p, *out) }):
		return usagef("--out %s is the model's own folder", *out)
	}
	if err := isFolder("--out", *out); err != nil {
		return err
	}
	b, done, err := openModel(ctx, fs.Args())
	defer done()
	if err != nil {
		return err
	}
	t := &table{rows: map[string]*row{}}
	if err := b.Convert(ctx, "model.json", *out, targets[i], t.add); err != nil {
		return err
	}
	return t.print(stdout)
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// table adds up a conversion by class of tensor.
type table struct {
	order []string
	rows  map[string]*row
}

type row struct {
	count int
	weights.Converted
}

func (t *table) add(c weights.Converted) {
	for _, key := range []string{fmt.Sprintf("%s\t%s\t%s", c.Part, c.Class, c.To), "all\t\t"} {
		r := t.rows[key]
		if r == nil {
			r = &row{}
			t.rows[key] = r
			t.order = append(t.order, key)
		}
		r.count++
		r.Before += c.Before
		r.After += c.After
		r.Squares += c.Squares
		r.ErrSquare += c.ErrSquare
	}
}

func (t *table) print(stdout io.Writer) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "part\tclass\ttype\tcount\tbytes before\tafter\trelative RMS error\t")
	slices.SortStableFunc(t.order, func(a, b string) int { // "all" goes last
		switch {
		case a[:3] == "all":
			return 1
		case b[:3] == "all":
			return -1
		}
		return 0
	})
	for _, key := range t.order {
		r := t.rows[key]
		loss := 0.0
		if r.Squares > 0 {
			loss = math.Sqrt(r.ErrSquare / r.Squares)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%.3g\t\n", key, r.count, grouped(r.Before), grouped(r.After), loss)
	}
	return w.Flush()
}
