package conform

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"undertone/engine/op"
)

// check is one case being compared. The first error sticks: what is read behind it is
// empty, and nothing more runs on the machine.
type check struct {
	*run
	name string
	desc caseDescription
	told map[string]bool // outputs that have a result
	made []*op.Tensor
	err  error
}

func newCheck(r *run, name string, described map[string]caseDescription) *check {
	d, ok := described[name]
	c := &check{run: r, name: name, desc: d, told: map[string]bool{}}
	switch {
	case !ok:
		c.err = fmt.Errorf("%s.json does not describe it", r.base)
	case d.raw != nil:
		c.err = fmt.Errorf("%s.json says %.64s of it, which is not understood", r.base, d.raw)
	}
	return c
}

func (c *check) has(tensor string) bool { return c.cases.has(c.key(tensor)) }

// key is the name of a tensor of the case in its file: those of a family with one case
// have no case before them.
func (c *check) key(tensor string) string {
	if c.flat {
		return tensor
	}
	return c.name + "." + tensor
}

// get reads a tensor of the case, such as "in.latent", and its shape.
func (c *check) get(tensor string) (data []float32, shape []int) {
	if c.err == nil {
		data, shape, c.err = c.cases.get(c.key(tensor))
	}
	return data, shape
}

// in reads an input; shaped refuses one that has another number of dimensions.
func (c *check) in(tensor string) []float32 {
	data, _ := c.get("in." + tensor)
	return data
}

func (c *check) shaped(tensor string, dimensions int) (data []float32, shape []int) {
	data, shape = c.get("in." + tensor)
	if c.err == nil && len(shape) != dimensions {
		c.err = fmt.Errorf("in.%s has the shape %v, wanted %d dimensions", tensor, shape, dimensions)
	}
	if c.err != nil {
		return nil, make([]int, dimensions)
	}
	return data, shape
}

// out reads the truth of an output. One that is missing is a failure of that output
// alone.
func (c *check) out(output string) ([]float32, bool) {
	if c.err != nil {
		return nil, false
	}
	data, _, err := c.cases.get(c.key("out." + output))
	if err != nil {
		c.wrong(output, err)
	}
	return data, err == nil
}

// result tells of one output.
func (c *check) result(r Result) {
	r.Case, c.told[r.Output] = c.name, true
	c.add(r)
}

func (c *check) wrong(output string, why error) { c.result(Result{Output: output, Why: why.Error()}) }

// within tells of an output by a number that may not be above its limit.
func (c *check) within(output string, off, limit float64) {
	c.result(Result{Output: output, Error: off, Limit: limit, OK: off <= limit})
}

// near compares an output with its truth, by the root mean square of the difference
// and element by element.
func (c *check) near(output string, got []float32) {
	if want, ok := c.out(output); ok {
		c.nearTo(output, got, want)
	}
}

// nearTo is near for a truth that is a part of a tensor.
func (c *check) nearTo(output string, got, want []float32) {
	if c.err != nil {
		return
	}
	if len(got) != len(want) {
		c.wrong(output, fmt.Errorf("it has %d numbers, the reference %d", len(got), len(want)))
		return
	}
	off, worst, at := apart(got, want)
	if limit := max(elementLimit, 4*c.opt.Limit); off <= c.opt.Limit && !(worst <= limit) {
		c.wrong(output, fmt.Errorf("element %d is %g, the reference %g: off by %.2g of the RMS, the limit for one element is %g", at, got[at], want[at], worst, limit))
		return
	}
	c.within(output, off, c.opt.Limit)
}

// each compares numbers one by one, relative to the truth: root mean squares.
func (c *check) each(output string, got []float64) {
	want, ok := c.out(output)
	if !ok {
		return
	}
	if len(got) != len(want) {
		c.wrong(output, fmt.Errorf("it has %d numbers, the reference %d", len(got), len(want)))
		return
	}
	c.within(output, farthest(got, want), c.opt.Limit)
}

// farthest is the largest difference of any number relative to its truth; where that is 0,
// by itself.
func farthest(got []float64, want []float32) (off float64) {
	for i, w := range want {
		scale := math.Abs(float64(w))
		if scale == 0 {
			scale = 1
		}
		off = max(off, math.Abs(got[i]-float64(w))/scale) // max keeps NaN
	}
	return off
}

// leftovers fails whatever of the case nobody asked for.
func (c *check) leftovers() {
	for _, t := range c.cases.index.Tensors {
		name, what := splitName(t.Name)
		output, isOut := strings.CutPrefix(what, "out.")
		asked := c.cases.asked[t.Name]
		switch {
		case name != c.name, isOut && c.told[output], asked && (!isOut || c.err == nil):
		case isOut && c.err != nil:
			c.fail(c.name, output, fmt.Errorf("not computed"))
		case c.err != nil:
		case isOut:
			c.fail(c.name, output, fmt.Errorf("not understood"))
		case what == "":
			c.fail(c.name, "", fmt.Errorf("the tensor %q belongs to no case", t.Name))
		default:
			c.fail(c.name, "", fmt.Errorf("the input %q is not understood", strings.TrimPrefix(what, "in.")))
		}
	}
	if c.err == nil && len(c.told) == 0 {
		c.fail(c.name, "", fmt.Errorf("there is nothing to compare"))
	}
}

// apart is the root mean square of a difference relative to that of the truth, and the
// largest difference and where it is. Against a truth of zeros all are absolute.
func apart(got, want []float32) (off, worst float64, at int) {
	diff, norm := 0.0, 0.0
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		diff += d * d
		norm += float64(want[i]) * float64(want[i])
		if !(d <= worst) {
			worst, at = d, i
		}
	}
	n := float64(max(len(want), 1))
	scale := math.Sqrt(norm / n)
	if scale == 0 {
		scale = 1
	}
	return math.Sqrt(diff/n) / scale, worst / scale, at
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}

// equal says whether two shapes or lists are the same, as an error.
func equal[E comparable](what string, got, want []E) error {
	if slices.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("%s: %v, expected %v", what, got, want)
}
