package lab

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
)

// Look is how a plot is drawn.
type Look struct {
	Width int                      // in pixels; 0: WideWidth
	Say   func(text string) string // in the reader's language; nil: as it is
}

// WideWidth is the width of a plot that has room, NarrowWidth of one on a phone.
const WideWidth, NarrowWidth = 720, 340

// What a plot leaves free for its axes and what stands above it, in pixels.
const (
	plotHeight           = 336
	left, right, bottom  = 56, 24, 56
	textLine, legendLine = 20, 30
	markRadius, whisker  = 3.5, 4
	dodge                = 5 // between the marks of two series at one place
	plotStyle            = `text{font:13px system-ui,sans-serif;fill:#1e1a24}.axis{stroke:#8a8494;fill:none}.grid{stroke:#8a849440}.beside{font-size:11px}` +
		`@media (prefers-color-scheme:dark){svg{background:#1d1a24}text{fill:#f1eef6}}`
)

// palette has colours that stay apart for people who see fewer of them (Okabe and Ito 2008);
// series beyond them are dashed.
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"}

// WriteSVG draws the means with their intervals, see Draw.
func (r *Results) WriteSVG(w io.Writer) error { return r.Draw(w, Look{}) }

// Draw draws the means with their intervals, a line for each series: over X or, where there
// is a second measure that differs between them, over that, with the values of X beside the
// marks. Of a grid it draws the values. What it shows stands in WriteText as a table.
func (r *Results) Draw(w io.Writer, look Look) error {
	if look.Width == 0 {
		look.Width = WideWidth
	}
	if look.Say == nil {
		look.Say = func(text string) string { return text }
	}
	p := &plot{Results: r, Look: look}
	if len(r.Means) > 0 {
		p.head()
		if r.Grid {
			p.grid()
		} else {
			p.lines()
		}
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style>`+"\n%s</svg>\n",
		look.Width, p.top+plotHeight+bottom, html.EscapeString(look.Say(r.Question)), plotStyle, p.String())
	return err
}

// plot is one in the making.
type plot struct {
	*Results
	Look
	strings.Builder
	top      int    // where the axes begin, in pixels
	labelled []mark // that have a value beside them
}

// text writes a text at a place.
func (p *plot) text(x, y float64, anchor, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

// series are the names in the order in which they come first.
func (r *Results) series() (list []string) {
	for _, m := range r.Means {
		if !slices.Contains(list, m.Series) {
			list = append(list, m.Series)
		}
	}
	return list
}

// head writes what the height means, and the legend.
func (p *plot) head() {
	for _, line := range wrap(p.Say(p.Y), float64(p.Width)-16) {
		p.top += textLine
		p.text(8, float64(p.top-4), "start", line)
	}
	if p.Grid {
		p.top += 8
		return
	}
	names := p.series()
	room := 0.0
	for _, name := range names {
		room = max(room, legendLine+16+widthOf(p.Say(name)))
	}
	across := max(1, int((float64(p.Width)-8)/room))
	p.top += textLine
	for i, name := range names {
		if i > 0 && i%across == 0 {
			p.top += textLine
		}
		x := 8 + float64(i%across)*room
		fmt.Fprintf(p, `<path d="M%.1f %dh22" stroke="%s" stroke-width="2"%s/>`, x, p.top-8, colourOf(i), dashOf(i))
		p.text(x+legendLine, float64(p.top-4), "start", p.Say(name))
	}
	p.top += 14
}

func colourOf(series int) string { return palette[series%len(palette)] }

func dashOf(series int) string {
	if series < len(palette) {
		return ""
	}
	return ` stroke-dasharray="6 3"`
}

// priced reports whether a second measure tells the means apart. Where it does not, all
// marks would stand above each other.
func (r *Results) priced() bool {
	const least = 1 // of 100
	low, high := math.Inf(1), math.Inf(-1)
	for _, m := range r.Means {
		low, high = min(low, m.Price), max(high, m.Price)
	}
	return r.Price != "" && high-low >= least
}

func (p *plot) lines() {
	priced, means, names := p.priced(), p.Means, p.series()
	across := func(m Mean) (at, low, high float64) { return m.X, m.X, m.X }
	label := p.Say(p.X)
	if priced {
		across = func(m Mean) (at, low, high float64) { return m.Price, m.PriceLow, m.PriceHigh }
		label = p.Say(p.Price)
	} else if p.Price != "" {
		label += fmt.Sprintf(" · %s: %.3g", p.Say(p.Price), means[0].Price)
	}
	_, minX, maxX := across(means[0])
	minY, maxY := 0.0, 0.0
	for _, m := range means {
		_, low, high := across(m)
		minX, maxX = min(minX, low), max(maxX, high)
		minY, maxY = min(minY, m.Low), max(maxY, m.High)
	}
	if !priced && minX == maxX { // one place stands in the middle, not on the axis
		minX, maxX = minX-1, maxX+1
	}
	innerWidth := float64(p.Width - left - right)
	xs, ys := ticks(minX, maxX, max(4, p.Width/110)), ticks(minY, maxY, 6)
	if !priced && !slices.ContainsFunc(means, func(m Mean) bool { return m.X != math.Round(m.X) }) { // as of blocks and steps
		xs = slices.DeleteFunc(xs, func(x float64) bool { return x != math.Round(x) })
	}
	minX, maxX, minY, maxY = min(minX, xs[0]), max(maxX, xs[len(xs)-1]), min(minY, ys[0]), max(maxY, ys[len(ys)-1])
	inset := dodge*float64(len(names)-1)/2 + markRadius // for the marks beside the first and the last
	x := func(v float64) float64 { return left + inset + (innerWidth-2*inset)*(v-minX)/(maxX-minX) }
	y := func(v float64) float64 { return float64(p.top) + plotHeight*(1-(v-minY)/(maxY-minY)) }
	foot := float64(p.top + plotHeight)
	for _, v := range ys {
		fmt.Fprintf(p, `<path class="grid" d="M%d %.1fH%d"/>`, left, y(v), p.Width-right)
		p.text(left-8, y(v)+4, "end", fmt.Sprintf("%g", v))
	}
	for _, v := range xs {
		p.text(x(v), foot+20, "middle", fmt.Sprintf("%g", v))
	}
	fmt.Fprintf(p, `<path class="axis" d="M%d %dV%gH%d"/>`+"\n", left, p.top, foot, p.Width-right)
	p.text(left+innerWidth/2, foot+44, "middle", label)
	for number, name := range names {
		var marks []mark
		for _, m := range means {
			if m.Series != name {
				continue
			}
			at, low, high := across(m)
			aside := dodge * (float64(number) - float64(len(names)-1)/2)
			k := mark{m, x(at) + aside, x(low) + aside, x(high) + aside, y(m.Mean), y(m.Low), y(m.High), ""}
			if priced {
				k.beside = p.beside(k)
			}
			marks = append(marks, k)
		}
		p.line(marks, number)
	}
}

// mark is a mean where it is drawn, in pixels, with its intervals.
type mark struct {
	Mean
	x, left, right float64
	y, low, high   float64
	beside         string
}

// beside is the value of X that stands beside a mark, "" where another one stands already.
func (p *plot) beside(m mark) string {
	const wide, high = 14, 11 // pixels
	for _, had := range p.labelled {
		if math.Abs(had.x-m.x) < wide && math.Abs(had.y-m.y) < high {
			return ""
		}
	}
	p.labelled = append(p.labelled, m)
	return fmt.Sprintf("%g", m.X)
}

// line draws one series.
func (p *plot) line(list []mark, number int) {
	colour := colourOf(number)
	var path, whiskers, marks strings.Builder
	for i, m := range list {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], m.x, m.y)
		fmt.Fprintf(&whiskers, "M%.1f %.1fV%.1fm%d 0h%dM%.1f %.1fh%d", m.x, m.high, m.low, -whisker, 2*whisker, m.x-whisker, m.high, 2*whisker)
		if m.right > m.left {
			fmt.Fprintf(&whiskers, "M%.1f %.1fH%.1f", m.left, m.y, m.right)
		}
		fmt.Fprintf(&marks, `<circle cx="%.1f" cy="%.1f" r="%g" fill="%s"><title>%s · %g: %.4g (%.4g – %.4g), n = %d</title></circle>`,
			m.x, m.y, markRadius, colour, html.EscapeString(p.Say(m.Series)), m.X, m.Mean.Mean, m.Low, m.High, m.N)
		if m.beside != "" && len(list) > 1 {
			fmt.Fprintf(&marks, `<text x="%.1f" y="%.1f" class="beside">%s</text>`, m.x+6, m.y-6, m.beside)
		}
	}
	fmt.Fprintf(p, `<path d="%s" fill="none" stroke="%s" stroke-width="2"%s/><path d="%s" fill="none" stroke="%s" opacity=".8"/>%s`+"\n",
		path.String(), colour, dashOf(number), whiskers.String(), colour, marks.String())
}

// grid draws a cell for each mean, a row for each series: the bluer the more, the redder
// the less, and white for 0.
func (p *plot) grid() {
	names, rows := 0.0, p.series() // names: the room for them, in pixels
	for _, row := range rows {
		names = max(names, min(widthOf(p.Say(row))+18, float64(p.Width)/3))
	}
	var columns []float64
	most := 0.0
	for _, m := range p.Means {
		if !slices.Contains(columns, m.X) {
			columns = append(columns, m.X)
		}
		most = max(most, math.Abs(m.Mean))
	}
	slices.Sort(columns)
	room := float64(p.Width) - names - right
	width, height := room/float64(len(columns)), plotHeight/float64(len(rows))
	top := float64(p.top)
	for i, row := range rows {
		p.text(names-10, top+(float64(i)+0.5)*height+4, "end", p.Say(row))
	}
	for i, column := range columns {
		p.text(names+(float64(i)+0.5)*width, top+plotHeight+20, "middle", fmt.Sprintf("%g", column))
	}
	p.text(names+room/2, top+plotHeight+44, "middle", p.Say(p.X))
	for _, m := range p.Means {
		x, y := names+float64(slices.Index(columns, m.X))*width, top+float64(slices.Index(rows, m.Series))*height
		colour := palette[0]
		if m.Mean < 0 {
			colour = palette[1]
		}
		fmt.Fprintf(p, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="%.2f"><title>%s · %g: %.4g</title></rect>`,
			x, y, width-2, height-2, colour, 0.75*math.Abs(m.Mean)/max(most, 1e-9), html.EscapeString(p.Say(m.Series)), m.X, m.Mean)
		p.text(x+width/2-1, y+height/2+4, "middle", fmt.Sprintf("%.2f", m.Mean))
	}
}

// wrap cuts a text into lines of some width in pixels, at its spaces; between characters
// as wide as they are high, a line may end anywhere.
func wrap(text string, width float64) (lines []string) {
	line, room := "", width
	for text != "" {
		word := ""
		for _, c := range text {
			if word += string(c); c == ' ' || c >= wideFrom {
				break
			}
		}
		wide := widthOf(word)
		if text = text[len(word):]; wide > room && line != "" {
			lines, line, room = append(lines, line), "", width
		}
		line, room = line+word, room-wide
	}
	return append(lines, line)
}

// wideFrom is the first character that is as wide as it is high.
const wideFrom = 0x2e80

// widthOf is about how wide a text is, in pixels.
func widthOf(text string) (wide float64) {
	for _, c := range text {
		if c < wideFrom {
			wide += 6.8
		} else {
			wide += 13
		}
	}
	return wide
}

// ticks are round numbers from at or below low to at or above high, about as many as wanted.
func ticks(low, high float64, wanted int) []float64 {
	if high <= low {
		high = low + 1
	}
	rough := (high - low) / float64(wanted)
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
