package lab

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/jpeg"
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

// thumbSide is the longer side of a Thumb, in pixels, and thumbQuality JPEG's.
const thumbSide, thumbQuality = 96, 85

// Show keeps small pictures of the first prompt and seed for the contact sheet.
func (r *Results) Show(t Trial, made, base *recipe.Image) {
	if t.Prompt != r.Prompts[0] || t.Seed != r.Seeds[0] {
		return
	}
	if slices.ContainsFunc(r.Thumbs, func(had Thumb) bool { return had.Series == t.Series && had.X == t.X }) {
		return
	}
	unchanged := small(base)
	if !slices.ContainsFunc(r.Thumbs, func(had Thumb) bool { return had.Series == Unchanged && bytes.Equal(had.JPEG, unchanged) }) {
		r.Thumbs = append(r.Thumbs, Thumb{Unchanged, t.X, unchanged})
	}
	r.Thumbs = append(r.Thumbs, Thumb{t.Series, t.X, small(made)})
}

// small is a picture of at most thumbSide pixels as a JPEG file: each of its pixels is the
// mean of those that it stands for.
func small(p *recipe.Image) []byte {
	by := max(1, (max(p.W, p.H)+thumbSide-1)/thumbSide)
	out := image.NewRGBA(image.Rect(0, 0, max(1, p.W/by), max(1, p.H/by)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			for c := range 4 {
				sum := 0
				for i := range by * by {
					sum += int(p.RGBA[4*((y*by+i/by)*p.W+x*by+i%by)+c])
				}
				out.Pix[out.PixOffset(x, y)+c] = byte(sum / (by * by))
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, out, &jpeg.Options{Quality: thumbQuality}); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// Sheet are the small pictures as rows of a table: the series, and its pictures by the
// values of X that are above the columns.
type Sheet struct {
	Columns []float64
	Rows    []SheetRow
}

// SheetRow is one series.
type SheetRow struct {
	Series string
	JPEG   [][]byte // by column
}

// Sheet is the contact sheet of what was shown. What nothing was changed in comes first: of
// one picture alone, in the first column.
func (r *Results) Sheet() (s Sheet) {
	if len(r.Thumbs) == 0 {
		return s
	}
	order := []string{Unchanged}
	for _, t := range r.Thumbs {
		if t.Series != Unchanged && !slices.Contains(s.Columns, t.X) {
			s.Columns = append(s.Columns, t.X)
		}
		if !slices.Contains(order, t.Series) {
			order = append(order, t.Series)
		}
	}
	slices.Sort(s.Columns)
	for _, series := range order {
		row := SheetRow{series, make([][]byte, len(s.Columns))}
		list := slices.DeleteFunc(slices.Clone(r.Thumbs), func(t Thumb) bool { return t.Series != series })
		for _, t := range list {
			at := slices.Index(s.Columns, t.X)
			if series == Unchanged && len(list) == 1 {
				at = 0
			}
			if at >= 0 {
				row.JPEG[at] = t.JPEG
			}
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// WriteSheet draws the contact sheet.
func (r *Results) WriteSheet(w io.Writer) error {
	const cell, names, head = thumbSide + 4, 200, 30
	s := r.Sheet()
	width, height := names+cell*len(s.Columns), head+cell*len(s.Rows)+24
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style>`+"\n",
		width, height, html.EscapeString(r.Question), plotStyle)
	for i, x := range s.Columns {
		fmt.Fprintf(&b, `<text x="%d" y="20" text-anchor="middle">%g</text>`+"\n", names+i*cell+thumbSide/2, x)
	}
	for i, row := range s.Rows {
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", names-8, head+i*cell+thumbSide/2, html.EscapeString(row.Series))
		for j, data := range row.JPEG {
			if data != nil {
				fmt.Fprintf(&b, `<image x="%d" y="%d" width="%d" height="%d" href="data:image/jpeg;base64,%s"/>`+"\n",
					names+j*cell, head+i*cell, thumbSide, thumbSide, base64.StdEncoding.EncodeToString(data))
			}
		}
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text></svg>`+"\n", names+cell*len(s.Columns)/2, height-8, html.EscapeString(r.X))
	_, err := io.WriteString(w, b.String())
	return err
}
