package lab

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// The plot's size and the room for its axes, in pixels.
const (
	plotWidth, plotHeight    = 720, 420
	left, right, top, bottom = 76, 24, 24, 60
	legendLine, ticksWanted  = 20, 6
	innerWidth, innerHeight  = plotWidth - left - right, plotHeight - top - bottom
	markRadius, whisker      = 3.5, 4
	plotStyle                = `text{font:13px system-ui,sans-serif;fill:#1e1a24}.axis{stroke:#8a8494;fill:none}.grid{stroke:#8a849440}` +
		`@media (prefers-color-scheme:dark){svg{background:#1d1a24}text{fill:#f1eef6}}`
)

// palette has colours that stay apart for people who see fewer of them (Okabe and Ito 2008).
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

// WriteSVG draws the means with their intervals, a line for each series. What it shows
// stands in WriteText as a table.
func (r *Results) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style>`+"\n",
		plotWidth, plotHeight, html.EscapeString(r.Question), plotStyle)
	if len(r.Means) > 0 {
		r.plot(&b)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) plot(b *strings.Builder) {
	minX, maxX, minY, maxY := r.Means[0].X, r.Means[0].X, 0.0, 0.0
	for _, m := range r.Means {
		minX, maxX = min(minX, m.X), max(maxX, m.X)
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
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", left+innerWidth/2, plotHeight-14, html.EscapeString(r.X))
	fmt.Fprintf(b, `<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", top+innerHeight/2, html.EscapeString(r.Y))
	series := 0
	for i := 0; i < len(r.Means); series++ {
		n := i
		for n < len(r.Means) && r.Means[n].Series == r.Means[i].Series {
			n++
		}
		line(b, r.Means[i:n], series, x, y)
		i = n
	}
}

// line draws one series, and its name in the legend.
func line(b *strings.Builder, means []Mean, number int, x, y func(float64) float64) {
	colour := palette[number%len(palette)]
	var path, whiskers, marks strings.Builder
	for i, m := range means {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], x(m.X), y(m.Mean))
		fmt.Fprintf(&whiskers, "M%.1f %.1fV%.1fm%d 0h%dM%.1f %.1fh%d", x(m.X), y(m.High), y(m.Low), -whisker, 2*whisker, x(m.X)-whisker, y(m.High), 2*whisker)
		fmt.Fprintf(&marks, `<circle cx="%.1f" cy="%.1f" r="%g" fill="%s"><title>%s at %g: %.4g (%.4g to %.4g), n = %d</title></circle>`,
			x(m.X), y(m.Mean), markRadius, colour, html.EscapeString(m.Series), m.X, m.Mean, m.Low, m.High, m.N)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><path d="%s" fill="none" stroke="%s" opacity=".6"/>%s`+"\n", path.String(), colour, whiskers.String(), colour, marks.String())
	at := top + legendLine*number
	fmt.Fprintf(b, `<path d="M%d %dh22" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n", left+14, at+8, colour, left+44, at+12, html.EscapeString(means[0].Series))
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
