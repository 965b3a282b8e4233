package onnx

import (
	"fmt"
	"io"
	"slices"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// writer records the parts of a model. The first error stays.
type writer struct {
	*graph
	m        *Model
	role     string // of the file that weights are read from
	blocks   bool
	accuracy int
	err      error
}

// tensor finds a weight.
func (w *writer) tensor(name string) (t weights.Tensor) {
	t, ok := w.m.index[w.role].Lookup(name)
	if !ok && w.err == nil {
		w.err = fmt.Errorf("%s has no tensor %q", w.role, name)
	}
	return t
}

// numbers reads a weight.
func (w *writer) numbers(name string) ([]float32, []int) {
	t := w.tensor(name)
	if w.err != nil {
		return nil, nil
	}
	x, err := weights.ReadFloat32(w.m.files[w.role], t)
	w.err = err
	return x, t.Shape
}

func (w *writer) weight(name string) string {
	x, shape := w.numbers(name)
	return w.floats(x, shape...)
}

// linear is x·wᵀ + b for x [m, k]. ones are vectors of the bias, of this width, to which 1
// is added: the scales of a modulation.
func (w *writer) linear(x, name string, width int, ones ...int) string {
	bias, _ := w.numbers(name + ".bias")
	t := w.tensor(name + ".weight")
	if w.err != nil {
		return ""
	}
	for _, i := range ones {
		for j := range width {
			bias[i*width+j]++
		}
	}
	n, k := t.Shape[0], t.Shape[1]
	b := w.floats(bias, n)
	if w.blocks && (t.DType == op.Q8_0 || t.DType == op.Q4_0) {
		blocks := make([]byte, t.Bytes)
		if _, err := io.ReadFull(io.NewSectionReader(w.m.files[w.role], t.Offset, t.Bytes), blocks); err != nil {
			w.err = err
			return ""
		}
		return w.op("Add", nil, w.matMulNBits(x, t.DType, blocks, n, k, w.accuracy), b)
	}
	rows, _ := w.numbers(name + ".weight")
	columns := make([]float32, len(rows))
	for i, v := range rows {
		columns[i%k*n+i/k] = v
	}
	return w.op("Gemm", nil, x, w.floats(columns, k, n), b)
}

func (w *writer) silu(x string) string { return w.fused("QuickGelu", attrs{"alpha": float32(1)}, x) }

func (w *writer) layerNorm(x, scale, shift string, eps float32) string {
	return w.op("LayerNormalization", attrs{"axis": -1, "epsilon": eps}, x, scale, shift)
}

// embedder is two linear layers.
func (w *writer) embedder(x, name string) string {
	return w.linear(w.silu(w.linear(x, name+".in_layer", 0)), name+".out_layer", 0)
}

// text records CLIP, the transformer's layer for its states, and ψ.
func (w *writer) text() {
	c := w.m.text
	tokens, width := c.MaxLength, c.HiddenSize
	ids, eos := w.input("ids", int32s, tokens), w.input("eos", int32s, 1)
	w.role = weights.RoleText
	const root = "text_model."
	norm := func(x, name string) string {
		return w.layerNorm(x, w.weight(name+".weight"), w.weight(name+".bias"), 1e-5)
	}
	x := w.op("Gather", attrs{"axis": 0}, w.weight(root+"embeddings.token_embedding.weight"), ids)
	places, _ := w.numbers(root + "embeddings.position_embedding.weight")
	x = w.op("Add", nil, x, w.floats(places, tokens, width))
	later := make([]float32, tokens*tokens)
	for i := range later {
		if i%tokens > i/tokens {
			later[i] = -1e30
		}
	}
	mask := w.floats(later, 1, 1, tokens, tokens)
	for n := range c.NumLayers {
		at := fmt.Sprintf("%sencoder.layers.%d.", root, n)
		h := norm(x, at+"layer_norm1")
		part := func(name string) string { return w.linear(h, at+"self_attn."+name+"_proj", 0) }
		a := w.attend(part("q"), part("k"), part("v"), tokens, c.NumHeads, width/c.NumHeads, mask)
		x = w.op("Add", nil, x, w.linear(w.reshape(a, tokens, width), at+"self_attn.out_proj", 0))
		h = w.fused("Gelu", nil, w.linear(norm(x, at+"layer_norm2"), at+"mlp.fc1", 0))
		x = w.op("Add", nil, x, w.linear(h, at+"mlp.fc2", 0))
	}
	x = norm(x, root+"final_layer_norm")
	w.role = weights.RoleTransformer
	w.gives(w.linear(x, "txt_in", 0), "txt", tokens, w.m.flux.Hidden)
	w.gives(w.embedder(w.op("Gather", attrs{"axis": 0}, x, eos), "vector_in"), "psi", 1, w.m.flux.Hidden)
}

// places are the rotary tables of all tokens, and their numbers in them, [1, all].
func (w *writer) places(all int) (at, cos, sin string) {
	table, width := (&dit.Flux{FluxConfig: w.m.flux}).Positions(w.m.text.MaxLength, w.m.side, w.m.side)
	var c, s []float32
	for pair := range slices.Chunk(table, 2) {
		c, s = append(c, pair[0]), append(s, pair[1])
	}
	place := make([]int, all)
	for i := range place {
		place[i] = i
	}
	return w.reshape(w.ints(place...), 1, all), w.floats(c, all, width/2), w.floats(s, all, width/2)
}

// step records one step of FLUX, the modulation in it, and Euler's step.
func (w *writer) step() {
	w.role = weights.RoleTransformer
	c := w.m.flux
	d, heads, size := c.Hidden, c.Heads, c.HeadDim()
	text, image := w.m.text.MaxLength, w.m.side*w.m.side
	all := text + image
	latent := w.input("latent", float32s, image, c.InChannels)
	txt := w.input("txt", float32s, text, d)
	psi := w.input("psi", float32s, 1, d)
	time := w.input("time", float32s, 1, len((&dit.Flux{}).Time(0)))
	dt := w.input("dt", float32s, 1)

	at, cos, sin := w.places(all)

	y := w.silu(w.op("Add", nil, w.embedder(time, "time_in"), psi))
	// n vectors; to those that scale, 1 is added.
	modulation := func(name string, n int, ones ...int) []string {
		m := w.split(w.reshape(w.linear(y, name, d, ones...), n, d), 0, slices.Repeat([]int{1}, n)...)
		for i := range m {
			m[i] = w.reshape(m[i], d)
		}
		return m
	}
	norm := func(x, scale, shift string) string { return w.layerNorm(x, scale, shift, 1e-6) }
	rms := func(x string, rows int, name string) string {
		n := w.op("SimplifiedLayerNormalization", attrs{"axis": -1, "epsilon": float32(1e-6)}, w.reshape(x, rows*heads, size), w.weight(name+".scale"))
		return w.reshape(n, rows, d)
	}
	attend := func(q, k, v string) string {
		turn := func(x string) string {
			return w.fused("RotaryEmbedding", attrs{"interleaved": 1, "num_heads": heads}, w.reshape(x, 1, all, d), at, cos, sin)
		}
		return w.reshape(w.attend(turn(q), turn(k), v, all, heads, size, ""), all, d)
	}
	gated := func(x, y, gate string) string { return w.op("Add", nil, x, w.op("Mul", nil, y, gate)) }

	img := w.linear(latent, "img_in", 0)
	for n := range c.Depth {
		name := fmt.Sprintf("double_blocks.%d.", n)
		type half struct {
			who  string
			x    string
			rows int
			m    []string
			qkv  []string
		}
		halves := []*half{{who: name + "txt_", x: txt, rows: text}, {who: name + "img_", x: img, rows: image}}
		for _, h := range halves {
			h.m = modulation(h.who+"mod.lin", 6, 1, 4)
			h.qkv = w.split(w.linear(norm(h.x, h.m[1], h.m[0]), h.who+"attn.qkv", 0), 1, d, d, d)
			h.qkv[0] = rms(h.qkv[0], h.rows, h.who+"attn.norm.query_norm")
			h.qkv[1] = rms(h.qkv[1], h.rows, h.who+"attn.norm.key_norm")
		}
		joined := func(i int) string { return w.op("Concat", attrs{"axis": 0}, halves[0].qkv[i], halves[1].qkv[i]) }
		for i, o := range w.split(attend(joined(0), joined(1), joined(2)), 0, text, image) {
			h := halves[i]
			h.x = gated(h.x, w.linear(o, h.who+"attn.proj", 0), h.m[2])
			z := w.fused("Gelu", nil, w.linear(norm(h.x, h.m[4], h.m[3]), h.who+"mlp.0", 0))
			h.x = gated(h.x, w.linear(z, h.who+"mlp.2", 0), h.m[5])
		}
		txt, img = halves[0].x, halves[1].x
	}
	x := w.op("Concat", attrs{"axis": 0}, txt, img)
	for n := range c.DepthSingle {
		name := fmt.Sprintf("single_blocks.%d.", n)
		m := modulation(name+"modulation.lin", 3, 1)
		z := w.split(w.linear(norm(x, m[1], m[0]), name+"linear1", 0), 1, d, d, d, c.MLP())
		o := attend(rms(z[0], all, name+"norm.query_norm"), rms(z[1], all, name+"norm.key_norm"), z[2])
		both := w.op("Concat", attrs{"axis": 1}, o, w.fused("Gelu", nil, z[3]))
		x = gated(x, w.linear(both, name+"linear2", 0), m[2])
	}
	m := modulation("final_layer.adaLN_modulation.1", 2, 1)
	v := w.linear(norm(w.split(x, 0, text, image)[1], m[1], m[0]), "final_layer.linear", 0)
	w.gives(w.op("Add", nil, latent, w.op("Mul", nil, v, dt)), "next", image, c.InChannels)
}

// decode records the tiny decoder.
func (w *writer) decode() {
	w.role = weights.RoleDecoder
	c := w.m.vae
	one := func(x float64) string { return w.floats([]float32{float32(x)}, 1) }
	side := w.m.side
	z := w.input("latent", float32s, side*side, 4*c.LatentChannels)
	z = w.op("Transpose", attrs{"perm": []int{2, 0, 3, 1, 4}}, w.reshape(z, side, side, c.LatentChannels, 2, 2))
	z = w.reshape(z, 1, c.LatentChannels, 2*side, 2*side)
	z = w.op("Add", nil, w.op("Mul", nil, z, one(1/c.ScalingFactor)), one(c.ShiftFactor))
	z = w.op("Mul", nil, w.op("Tanh", nil, w.op("Mul", nil, z, one(1./3))), one(3))

	layer := 1
	conv := func(x, suffix string) string {
		name := fmt.Sprintf("decoder.layers.%d%s", layer, suffix)
		inputs := []string{x, w.weight(name + ".weight")}
		if _, ok := w.m.index[w.role].Lookup(name + ".bias"); ok {
			inputs = append(inputs, w.weight(name+".bias"))
		}
		return w.op("Conv", attrs{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}}, inputs...)
	}
	relu := func(x string) string { return w.op("Relu", nil, x) }
	x := relu(conv(z, ""))
	layer += 2
	for n, s := range c.Stages {
		for range s.Blocks {
			y := relu(conv(x, ".conv.0"))
			y = conv(relu(conv(y, ".conv.2")), ".conv.4")
			x = relu(w.op("Add", nil, y, x))
			layer++
		}
		if n+1 < len(c.Stages) {
			x = w.op("Resize", attrs{"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, x, "", w.floats([]float32{1, 1, 2, 2}, 4))
			layer++
			x = conv(x, "")
			layer++
		}
	}
	x = w.op("Clip", nil, conv(x, ""), w.floats([]float32{0}), w.floats([]float32{1}))
	pixels := 2 * side * c.Downscale
	w.gives(w.op("Mul", nil, x, one(255)), "rgb", 1, 3, pixels, pixels)
}
