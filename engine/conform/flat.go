package conform

import (
	"fmt"
	"os"

	"undertone/engine"
)

// bothNames compares a family's network under the names of diffusers, and under the
// publisher's where the file PREFIX.orig.safetensors is there.
func (r *run) bothNames(f family) error {
	read := reader(engine.NewUploader)
	if f.read != nil {
		read = f.read(r)
	}
	const diffusers, orig = ".safetensors", ".orig.safetensors"
	if err := r.naming(f, diffusers, read); err != nil {
		return err
	}
	if _, err := os.Stat(r.path(orig)); err != nil {
		return nil
	}
	r.label = r.base + ".orig"
	return r.naming(f, orig, read)
}

// flatCase compares the one case of a file of videos: its inputs are in.*, and everything
// else in it is to be compared, under its own name.
func (r *run) flatCase(compare func(c *check) error) (err error) {
	if r.cases, err = openTensors(r.path(".cases.safetensors")); err != nil {
		return err
	}
	defer r.cases.close()
	k := &check{run: r, name: "all", told: map[string]bool{}}
	if err := compare(k); k.err == nil {
		k.err = err
	}
	k.free()
	if k.err != nil {
		r.fail(k.name, "", k.err)
	}
	for _, t := range r.cases.index.Tensors {
		switch {
		case r.cases.asked[t.Name]:
		case k.err != nil:
			r.fail(k.name, t.Name, fmt.Errorf("not computed"))
		default:
			r.fail(k.name, t.Name, fmt.Errorf("not understood"))
		}
	}
	return nil
}

// same compares a tensor of a flat file by its own name.
func (c *check) same(tensor string, got []float32) {
	if c.err != nil {
		return
	}
	want, _, err := c.cases.get(tensor)
	if err != nil {
		c.wrong(tensor, err)
		return
	}
	c.nearTo(tensor, got, want)
}

// sameEach is same for numbers that are compared one by one.
func (c *check) sameEach(tensor string, got []float64) {
	if c.err != nil {
		return
	}
	want, _, err := c.cases.get(tensor)
	if err == nil && len(got) != len(want) {
		err = fmt.Errorf("it has %d numbers, the reference %d", len(got), len(want))
	}
	if err != nil {
		c.wrong(tensor, err)
		return
	}
	c.within(tensor, farthest(got, want), c.opt.Limit)
}

// shapedAs reads a tensor of a flat file with so many dimensions, of which the first, the
// batch, is 1 and left out.
func (c *check) shapedAs(tensor string, dimensions int) (data []float32, shape []int) {
	data, shape = c.get(tensor)
	if c.err == nil && (len(shape) != dimensions+1 || shape[0] != 1) {
		c.err = fmt.Errorf("%s has the shape %v, wanted 1 and %d more dimensions", tensor, shape, dimensions)
	}
	if c.err != nil {
		return nil, make([]int, dimensions)
	}
	return data, shape[1:]
}

// frames takes a film [C, F, H, W] apart: F pictures [H·W, C].
func frames(x []float32, shape []int) (all [][]float32) {
	channels, count, pixels := shape[0], shape[1], shape[2]*shape[3]
	for f := range count {
		var one []float32
		for p := range pixels {
			for ch := range channels {
				one = append(one, x[(ch*count+f)*pixels+p])
			}
		}
		all = append(all, one)
	}
	return all
}

// film is the inverse of frames for pictures of so many channels.
func film(all [][]float32, channels int) []float32 {
	var out []float32
	for ch := range channels {
		for _, one := range all {
			for at := ch; at < len(one); at += channels {
				out = append(out, one[at])
			}
		}
	}
	return out
}
