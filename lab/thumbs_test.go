package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
)

// TestSheet: a contact sheet has each picture of the first prompt and seed once, and those
// of a run that was interrupted and resumed are the same.
func TestSheet(t *testing.T) {
	e, err := Find("weight")
	if err != nil {
		t.Fatal(err)
	}
	run := func(r *Results, most int) {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		_ = Run(ctx, e, setting(), Machine{Draw: drawn, Show: func(t Trial, made, base *recipe.Image) { r.Show(t, made, base, plain) }}, r.Rows, func(row Row, left int) error {
			r.Add(row, left)
			if len(r.Rows) == most {
				stop()
			}
			return ctx.Err()
		})
	}
	whole := NewResults(e, setting(), "F32")
	run(whole, 0)
	s := whole.Sheet()
	if len(s.Columns) != 7 || s.Unchanged == nil || len(s.Rows) != 4 || s.Rows[0].Series != startOf(0) {
		t.Fatalf("%v across, %d rows", s.Columns, len(s.Rows))
	}
	for _, row := range s.Rows {
		pictures := len(slices.DeleteFunc(slices.Clone(row.JPEG), func(p []byte) bool { return p == nil }))
		if pictures != 7 {
			t.Errorf("%s has %d pictures, wanted 7", row.Series, pictures)
		}
	}
	part, resumed := NewResults(e, setting(), "F32"), NewResults(e, setting(), "F32")
	run(part, 10)
	text, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	var kept Results
	if err := json.Unmarshal(text, &kept); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Resume(&kept); err != nil {
		t.Fatal(err)
	}
	if run(resumed, 0); len(part.Thumbs) >= len(whole.Thumbs) || !slices.EqualFunc(resumed.Thumbs, whole.Thumbs, func(a, b Thumb) bool {
		return a.Series == b.Series && a.X == b.X && bytes.Equal(a.JPEG, b.JPEG)
	}) {
		t.Errorf("after an interruption there are %d pictures, wanted the same %d", len(resumed.Thumbs), len(whole.Thumbs))
	}
	short := &Results{Thumbs: []Thumb{{Unchanged, 1, []byte("a")}, {"b", 1, nil}, {Unchanged, 2, []byte("c")}, {"b", 2, nil}}}
	if s := short.Sheet(); s.Unchanged != nil || len(s.Rows) != 2 || string(s.Rows[0].JPEG[1]) != "c" {
		t.Errorf("of two pictures to compare with: %+v", s)
	}
	var svg bytes.Buffer
	if err := whole.WriteSheet(&svg); err != nil || strings.Count(svg.String(), "data:image/jpeg;base64,") != 29 {
		t.Errorf("the sheet has %d pictures, %v", strings.Count(svg.String(), "<image"), err)
	}
}

// TestSmall: a pixel of a small picture is the mean of those it stands for.
func TestSmall(t *testing.T) {
	p := &recipe.Image{W: 192, H: 128, RGBA: bytes.Repeat([]byte{0, 200, 100, 255, 80, 0, 100, 255}, 192*128/2)}
	out := small(p)
	if out.W != 96 || out.H != 64 || len(out.RGBA) != 4*96*64 {
		t.Fatalf("%d × %d, %d bytes", out.W, out.H, len(out.RGBA))
	}
	for i := range out.RGBA {
		if want := []byte{40, 100, 100, 255}[i%4]; out.RGBA[i] != want {
			t.Fatalf("byte %d is %d, wanted %d", i, out.RGBA[i], want)
		}
	}
}

// plain stands for an encoder.
func plain(p *recipe.Image) []byte { return p.RGBA }
