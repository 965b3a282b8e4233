package lab

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestWrap: lines end at spaces and between Chinese characters, and hold all of the text.
func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{""}}, {"gain in night", []string{"gain in ", "night"}}, {"unbreakableness", []string{"unbreakableness"}},
		{"每个词得到的注意力", []string{"每个词得", "到的注意", "力"}},
	} {
		if got := wrap(c.text, 60); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, wanted %q", c.text, got, c.want)
		}
	}
}

// TestPlotOfNothingLost: where the price is the same everywhere, the plot is over X, and
// marks of several series at one X stand beside each other.
func TestPlotOfNothingLost(t *testing.T) {
	mean := func(series string, x, price float64) Mean {
		return Mean{Series: series, X: x, Mean: 10 * x, Low: 9 * x, High: 11 * x, N: 8, Price: price, PriceLow: price, PriceHigh: price}
	}
	r := &Results{X: "weight", Y: "gain", Price: "objects lost", Means: []Mean{mean("a", 1, 0), mean("a", 2, 0), mean("b", 1, 0), mean("b", 2, 0)}}
	centres := func() (list []string) {
		var b bytes.Buffer
		r.WriteSVG(&b)
		for _, part := range strings.Split(b.String(), `<circle cx="`)[1:] {
			list = append(list, part[:strings.Index(part, `" r=`)])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	if got := centres(); len(got) != 4 {
		t.Errorf("four means with nothing lost have marks at %q", got)
	}
	r.Means[3] = mean("b", 2, 20)
	if got := centres(); len(got) != 4 || !slices.ContainsFunc(got, func(at string) bool { return strings.HasPrefix(at, "692") }) {
		t.Errorf("the mean that costs the most does not stand at the right end: %q", got)
	}
	var b bytes.Buffer
	r.Means[1].Mean = r.Means[0].Mean // twice at one place, where one number can be read
	r.WriteSVG(&b)
	if n := strings.Count(b.String(), `class="beside"`); n != 2 {
		t.Errorf("%d numbers beside the marks, wanted one for each place", n)
	}
	var narrow bytes.Buffer
	err := r.Draw(&narrow, Look{Width: NarrowWidth, Say: strings.ToUpper})
	if err != nil || !strings.Contains(narrow.String(), `viewBox="0 0 340 `) || !strings.Contains(narrow.String(), ">OBJECTS LOST<") {
		t.Errorf("on a phone: %v, %.300s", err, narrow.String())
	}
}

// TestPlotOfOnePlace: votes are of one weight, which does not stand on the axis.
func TestPlotOfOnePlace(t *testing.T) {
	r := &Results{X: "weight", Y: "preference", Means: []Mean{{Series: "a", X: 2, Mean: 50, Low: -17, High: 100, N: 6}}}
	var b bytes.Buffer
	r.WriteSVG(&b)
	_, at, _ := strings.Cut(b.String(), `<circle cx="`)
	x, err := strconv.ParseFloat(at[:strings.Index(at, `"`)], 64)
	if err != nil || x < 300 || x > 450 {
		t.Errorf("the only mark stands at %g of 700 (%v)", x, err)
	}
}

// TestWholeTicks: an axis of steps has no half of one.
func TestWholeTicks(t *testing.T) {
	for half, want := range map[float64]bool{0: false, 0.5: true} {
		r := &Results{X: "step", Means: []Mean{{Series: "a", X: 1, N: 1}, {Series: "a", X: 2, N: 1}, {Series: "a", X: 3 + half, N: 1}}}
		var b bytes.Buffer
		r.WriteSVG(&b)
		if got := strings.Contains(b.String(), ">1.5</text>"); got != want {
			t.Errorf("of steps up to %g, the axis has 1.5: %v", 3+half, got)
		}
	}
}
