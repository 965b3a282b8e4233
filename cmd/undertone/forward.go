package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"undertone/engine"
	"undertone/engine/conform"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// forward runs the transformer once, on numbers from a file, for comparing it
// with another implementation.
func forward(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("forward", "MODEL_DIR|PATH…", stderr)
	in := fs.String("in", "", "safetensors: latent [tokens, channels] or [C, H, W], tokens [T, C] (of HiDream t5 [T, C] and llama [layers, T, C]), pooled [P], t [1], perhaps guidance [1]")
	out := fs.String("out", "", "safetensors to write: velocity, in the shape of latent, and blocks, the RMS after each; - is standard output")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *in == "" || *out == "" {
		return usagef("name one model folder, or the published files of one model, --in and --out")
	}
	target, err := outputTo("--out", *out, ".safetensors", stdout)
	if err != nil {
		return err
	}
	stdout = target.notes(stdout, stderr)
	pass, shape, err := readPass(*in)
	if err != nil {
		return err
	}
	e, done, err := load(ctx, fs.Args(), "", newBar(stderr))
	defer done()
	if err != nil {
		return err
	}
	defer e.Close()
	r, err := e.Forward(ctx, *pass)
	if err != nil {
		return err
	}
	velocity := r.Velocity
	if len(shape) == 3 {
		velocity = conform.Unpatchify(velocity, shape)
	}
	names, values := make([]string, len(r.Blocks)), make([]float32, len(r.Blocks))
	for i, b := range r.Blocks {
		names[i], values[i] = b.Name, float32(b.RMS)
		fmt.Fprintf(stdout, "%-24s %.6g\n", b.Name, b.RMS)
	}
	order, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return target.write(func(w io.Writer) error {
		return weights.WriteSafetensors(w, map[string]string{"blocks": string(order)},
			weights.Float32s("velocity", op.F32, shape, velocity),
			weights.Float32s("blocks", op.F32, []int{len(values)}, values))
	})
}

// readPass reads the inputs of a pass and the shape of its latent.
func readPass(name string) (*engine.Pass, []int, error) {
	src, err := weights.OpenFile(name)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	x, err := weights.Survey(src) // whatever else is in the file is not asked for
	if err != nil {
		return nil, nil, err
	}
	read := func(name string) []float32 {
		t, ok := x.Lookup(name)
		if !ok && err == nil {
			err = fault.New(fault.RequestInvalid, "%s is missing among the %d tensors of the input", name, len(x.Tensors))
		}
		if err != nil {
			return nil
		}
		var v []float32
		if v, err = weights.ReadFloat32(src, t); err == nil {
			err = finite(t, v)
		}
		return v
	}
	one := func(name string) float64 {
		v := read(name)
		if err == nil && len(v) != 1 {
			err = fault.New(fault.RequestInvalid, "%s has %d elements, wanted 1", name, len(v))
		}
		if err != nil {
			return 0
		}
		return float64(v[0])
	}
	p := &engine.Pass{Img: read("latent"), Pooled: read("pooled"), Time: one("t")}
	if _, ok := x.Lookup("llama"); ok {
		p.Texts = append(p.Texts, pooledBy(len(p.Pooled)), states(x, "t5", read("t5")), states(x, "llama", read("llama")))
	} else {
		p.Txt = read("tokens")
	}
	if _, ok := x.Lookup("guidance"); ok {
		p.Guidance = one("guidance")
	}
	if err != nil {
		return nil, nil, err
	}
	t, _ := x.Lookup("latent")
	side := 0
	if len(t.Shape) == 2 {
		side = int(math.Round(math.Sqrt(float64(t.Shape[0]))))
	}
	switch {
	case len(t.Shape) == 3 && t.Shape[1]%2 == 0 && t.Shape[2]%2 == 0:
		p.Rows, p.Cols = t.Shape[1]/2, t.Shape[2]/2
		p.Img = conform.Patchify(p.Img, t.Shape)
	case len(t.Shape) == 2 && side*side == t.Shape[0]:
		p.Rows, p.Cols = side, side
	default:
		return nil, nil, fault.New(fault.RequestInvalid, "latent has the shape %v, wanted [tokens of a square, channels] or [C, H, W] with even sides", t.Shape)
	}
	return p, t.Shape, nil
}

// pooledBy stands for the encoders of a pooled vector.
func pooledBy(n int) (e engine.Encoded) {
	e.Name, e.Pooled = "pooled", n
	return e
}

// states are what a text encoder gives: of tokens, or of several layers' tokens.
func states(x *weights.Index, name string, values []float32) (e engine.Encoded) {
	e.Name, e.States = name, values
	t, _ := x.Lookup(name)
	if n := len(t.Shape); n > 1 {
		e.Tokens, e.Width = t.Shape[n-2], t.Shape[n-1]
	}
	if len(t.Shape) == 3 {
		e.Encoder.States = t.Shape[0]
	}
	return e
}

// finite refuses an input with NaN or infinity, naming the first and their number.
func finite(t weights.Tensor, v []float32) error {
	count, first := 0, 0
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			if count == 0 {
				first = i
			}
			count++
		}
	}
	if count == 0 {
		return nil
	}
	return fault.New(fault.RequestInvalid, "%s of shape %v has %d elements of %d that are NaN or infinite, the first, %g, at %v", t.Name, t.Shape, count, len(v), v[first], place(t.Shape, first))
}

// place is the index of the i-th element in row order, one number for each dimension.
func place(shape []int, i int) []int {
	at := make([]int, len(shape))
	for d := len(shape) - 1; d >= 0; d-- {
		at[d], i = i%shape[d], i/shape[d]
	}
	return at
}
