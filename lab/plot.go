package lab

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// The plot's size and the room for its axes, in pixels.
const (
	plotWidth, plotHeight    = 720, 420
	left, right, top, bottom = 76, 24, 24, 60
	legendLine, legendWidth  = 20, 250
	ticksWanted              = 6
	innerWidth, innerHeight  = plotWidth - left - right, plotHeight - top - bottom
	markRadius, whisker      = 3.5, 4
	plotStyle                = `text{font:13px system-ui,sans-serif;fill:#1e1a24}.axis{stroke:#8a8494;fill:none}.grid{stroke:#8a849440}.beside{font-size:11px}` +
		`@media (prefers-color-scheme:dark){svg{background:#1d1a24}text{fill:#f1eef6}}`
)

// palette has colours that stay apart for people who see fewer of them (Okabe and Ito 2008).
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

// WriteSVG draws the means with their intervals, a line for each series: over X or, where
// there is a second measure, over that, with the values of X beside the marks. Of a grid it
// draws the values. What it shows stands in WriteText as a table.
func (r *Results) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style>`+"\n",
		plotWidth, plotHeight, html.EscapeString(r.Question), plotStyle)
	switch {
	case len(r.Means) == 0:
	case r.Grid:
		r.grid(&b)
	default:
		r.plot(&b)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) plot(b *strings.Builder) {
	priced := r.Price != ""
	across := func(m Mean) (at, low, high float64) { return m.X, m.X, m.X }
	label := r.X
	if priced {
		across = func(m Mean) (at, low, high float64) { return m.Price, m.PriceLow, m.PriceHigh }
		label = r.Price
	}
	_, minX, maxX := across(r.Means[0])
	minY, maxY := 0.0, 0.0
	for _, m := range r.Means {
		_, low, high := across(m)
		minX, maxX = min(minX, low), max(maxX, high)
		minY, maxY = min(minY, m.Low), max(maxY, m.High)
	}
	xs, ys := ticks(minX, maxX), ticks(minY, maxY)
	minX, maxX, minY, maxY = min(minX, xs[0]), max(maxX, xs[len(xs)-1]), min(minY, ys[0]), max(maxY, ys[len(ys)-1])
	x := func(v float64) float64 { return left + innerWidth*(v-minX)/(maxX-minX) }
	y := func(v float64) float64 { return top + innerHeight*(1-(v-minY)/(maxY-minY)) }
	for _, v := range ys {
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", left, y(v), plotWidth-right, left-8, y(v)+4, v)
	}
	for _, v := range xs {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n", x(v), plotHeight-bottom+20, v)
	}
	fmt.Fprintf(b, `<path class="axis" d="M%d %dV%dH%d"/>`+"\n", left, top, plotHeight-bottom, plotWidth-right)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+innerWidth/2, plotHeight-14, html.EscapeString(label))
	fmt.Fprintf(b, `<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", top+innerHeight/2, html.EscapeString(r.Y))
	series := 0
	for i := 0; i < len(r.Means); series++ {
		n := i
		for n < len(r.Means) && r.Means[n].Series == r.Means[i].Series {
			n++
		}
		marks := make([]mark, 0, n-i)
		for _, m := range r.Means[i:n] {
			at, low, high := across(m)
			k := mark{m, x(at), x(low), x(high), y(m.Mean), y(m.Low), y(m.High), ""}
			if priced && n-i > 1 {
				k.beside = fmt.Sprintf("%g", m.X)
			}
			marks = append(marks, k)
		}
		line(b, marks, series, priced)
		i = n
	}
}

// mark is a mean where it is drawn, in pixels, with its intervals.
type mark struct {
	Mean
	x, left, right float64
	y, low, high   float64
	beside         string
}

// line draws one series, and its name in the legend: at the right where there is a price,
// since what is good stands at the left then.
func line(b *strings.Builder, list []mark, number int, priced bool) {
	colour := palette[number%len(palette)]
	var path, whiskers, marks strings.Builder
	for i, m := range list {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], m.x, m.y)
		fmt.Fprintf(&whiskers, "M%.1f %.1fV%.1fm%d 0h%dM%.1f %.1fh%d", m.x, m.high, m.low, -whisker, 2*whisker, m.x-whisker, m.high, 2*whisker)
		if m.right > m.left {
			fmt.Fprintf(&whiskers, "M%.1f %.1fH%.1f", m.left, m.y, m.right)
		}
		fmt.Fprintf(&marks, `<circle cx="%.1f" cy="%.1f" r="%g" fill="%s"><title>%s at %g: %.4g (%.4g to %.4g), n = %d</title></circle>`,
			m.x, m.y, markRadius, colour, html.EscapeString(m.Series), m.X, m.Mean.Mean, m.Low, m.High, m.N)
		if m.beside != "" {
			fmt.Fprintf(&marks, `<text x="%.1f" y="%.1f" class="beside">%s</text>`, m.x+6, m.y-6, m.beside)
		}
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><path d="%s" fill="none" stroke="%s" opacity=".6"/>%s`+"\n", path.String(), colour, whiskers.String(), colour, marks.String())
	from, at := left+14, top+legendLine*number
	if priced {
		from = plotWidth - right - legendWidth
	}
	fmt.Fprintf(b, `<path d="M%d %dh22" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n", from, at+8, colour, from+30, at+12, html.EscapeString(list[0].Series))
}

// grid draws a cell for each mean, a row for each series: the bluer the more, the redder
// the less, and white for 0.
func (r *Results) grid(b *strings.Builder) {
	const names = 120 // pixels
	var rows []string
	var columns []float64
	most := 0.0
	for _, m := range r.Means {
		if !slices.Contains(rows, m.Series) {
			rows = append(rows, m.Series)
		}
		if !slices.Contains(columns, m.X) {
			columns = append(columns, m.X)
		}
		most = max(most, math.Abs(m.Mean))
	}
	slices.Sort(columns)
	width, height := (plotWidth-names-right)/len(columns), (plotHeight-top-bottom)/len(rows)
	for i, row := range rows {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", names-10, top+i*height+height/2+4, html.EscapeString(row))
	}
	for i, column := range columns {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%g</text>`+"\n", names+i*width+width/2, plotHeight-bottom+20, column)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", names+(plotWidth-names-right)/2, plotHeight-14, html.EscapeString(r.X))
	for _, m := range r.Means {
		x, y := names+slices.Index(columns, m.X)*width, top+slices.Index(rows, m.Series)*height
		colour := palette[0]
		if m.Mean < 0 {
			colour = palette[1]
		}
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s" fill-opacity="%.2f"><title>%s and %g: %.4g</title></rect>`,
			x, y, width-2, height-2, colour, 0.75*math.Abs(m.Mean)/max(most, 1e-9), html.EscapeString(m.Series), m.X, m.Mean)
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%.2f</text>`+"\n", x+width/2-1, y+height/2+4, m.Mean)
	}
}

// ticks are round numbers from at or below low to at or above high.
func ticks(low, high float64) []float64 {
	if high <= low {
		high = low + 1
	}
	rough := (high - low) / ticksWanted
	step := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, factor := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if rough > step {
			step *= factor
		}
	}
	var list []float64
	for i := math.Floor(low / step); ; i++ {
		list = append(list, math.Round(i*step*1e9)/1e9)
		if i*step >= high {
			return list
		}
	}
}
