package lab

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"undertone/engine/recipe"
)

// Thumb is a small picture of one point, of the first prompt and seed.
type Thumb struct {
	Series string  `json:"series"` // Unchanged for the picture that others are compared with
	X      float64 `json:"x"`
	JPEG   []byte  `json:"jpeg"`
}

// Unchanged is the series of the pictures that others are compared with.
const Unchanged = "nothing changed"

// thumbSide is the longer side of a Thumb, in pixels.
const thumbSide = 96

// Show keeps small pictures of the first prompt and seed for the contact sheet. jpeg encodes
// them.
func (r *Results) Show(t Trial, made, base *recipe.Image, jpeg func(*recipe.Image) []byte) {
	if t.Prompt != r.Prompts[0] || t.Seed != r.Seeds[0] {
		return
	}
	if slices.ContainsFunc(r.Thumbs, func(had Thumb) bool { return had.Series == t.Series && had.X == t.X }) {
		return
	}
	unchanged := jpeg(small(base))
	if !slices.ContainsFunc(r.Thumbs, func(had Thumb) bool { return had.Series == Unchanged && bytes.Equal(had.JPEG, unchanged) }) {
		r.Thumbs = append(r.Thumbs, Thumb{Unchanged, t.X, unchanged})
	}
	r.Thumbs = append(r.Thumbs, Thumb{t.Series, t.X, jpeg(small(made))})
}

// small is a picture of at most thumbSide pixels: each of its pixels is the mean of those
// that it stands for.
func small(p *recipe.Image) *recipe.Image {
	by := max(1, (max(p.W, p.H)+thumbSide-1)/thumbSide)
	out := &recipe.Image{W: max(1, p.W/by), H: max(1, p.H/by)}
	for y := range out.H {
		for x := range out.W {
			for c := range 4 {
				sum := 0
				for i := range by * by {
					sum += int(p.RGBA[4*((y*by+i/by)*p.W+x*by+i%by)+c])
				}
				out.RGBA = append(out.RGBA, byte(sum/(by*by)))
			}
		}
	}
	return out
}

// Sheet are the small pictures as rows of a table: the series, and its pictures by the
// values of X that are above the columns.
type Sheet struct {
	Unchanged []byte // where all are compared with one picture; else that is a row
	Columns   []float64
	Rows      []SheetRow
}

// SheetRow is one series.
type SheetRow struct {
	Series string
	JPEG   [][]byte // by column; nil where there is none
}

// Sheet is the contact sheet of what was shown.
func (r *Results) Sheet() (s Sheet) {
	var order []string
	var unchanged [][]byte
	for _, t := range r.Thumbs {
		if !slices.Contains(order, t.Series) {
			order = append(order, t.Series)
		}
		switch {
		case t.Series == Unchanged:
			unchanged = append(unchanged, t.JPEG)
		case !slices.Contains(s.Columns, t.X):
			s.Columns = append(s.Columns, t.X)
		}
	}
	if len(unchanged) == 1 {
		s.Unchanged = unchanged[0]
		order = slices.DeleteFunc(order, func(series string) bool { return series == Unchanged })
	}
	slices.Sort(s.Columns)
	for _, series := range order {
		row := SheetRow{series, make([][]byte, len(s.Columns))}
		for _, t := range r.Thumbs {
			if at := slices.Index(s.Columns, t.X); t.Series == series && at >= 0 {
				row.JPEG[at] = t.JPEG
			}
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// WriteSheet draws the contact sheet.
func (r *Results) WriteSheet(w io.Writer) error {
	const cell, names = thumbSide + 4, 200
	s := r.Sheet()
	var b strings.Builder
	y := 4
	line := func(series string, list [][]byte) {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", names-8, y+thumbSide/2, html.EscapeString(series))
		for i, data := range list {
			if data != nil {
				fmt.Fprintf(&b, `<image x="%d" y="%d" width="%d" height="%d" href="data:image/jpeg;base64,%s"/>`+"\n",
					names+i*cell, y, thumbSide, thumbSide, base64.StdEncoding.EncodeToString(data))
			}
		}
		y += cell
	}
	if s.Unchanged != nil {
		line(Unchanged, [][]byte{s.Unchanged})
	}
	for i, x := range s.Columns {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%g</text>`+"\n", names+i*cell+thumbSide/2, y+16, x)
	}
	y += 26
	for _, row := range s.Rows {
		line(row.Series, row.JPEG)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`, names+cell*len(s.Columns)/2, y+16, html.EscapeString(r.X))
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style>`+"\n%s</svg>\n",
		names+cell*len(s.Columns), y+24, html.EscapeString(r.Question), plotStyle, b.String())
	return err
}
