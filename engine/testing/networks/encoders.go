package networks

import (
	"maps"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/sample"
)

// hearing is a machine that keeps the tensors of every name in the order in which they
// were made, and the ids that were last written to each.
type hearing struct {
	op.Backend
	made map[string][]*op.Tensor
	ids  map[*op.Tensor][]uint32
}

func (*hearing) Close() {}

func (h *hearing) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := h.Backend.New(name, dt, rows, cols)
	h.made[name] = append(h.made[name], t)
	return t, err
}

func (h *hearing) WriteU32(t *op.Tensor, ids []uint32) error {
	h.ids[t] = slices.Clone(ids)
	return h.Backend.WriteU32(t, ids)
}

// secondCLIP adds a CLIP with other weights than the first, and another padding.
func (f *fixture) secondCLIP() {
	config := maps.Clone(f.text)
	config["pad"] = 2 // the end of the text, as CLIP-L has it
	f.more = append(f.more, encoder{"clip", "clip_2", config})
	f.tensors["clip_2"] = map[string]*tensor{}
	for name, x := range f.tensors["text"] {
		y := &tensor{x.shape, slices.Clone(x.data)}
		for i := range y.data {
			y.data[i] *= 1.25
		}
		f.tensors["clip_2"][name] = y
	}
}

// addT5 adds a T5 that reads so many tokens.
func (f *fixture) addT5(tokens int) {
	kind, config, tensors := smallT5(f.t, tokens)
	f.more, f.tensors[kind] = append(f.more, encoder{kind, kind, config}), tensors
}

// encoders makes pictures of one step with several text encoders, and compares each
// with a pass on what the encoders gave, joined here by hand.
func encoders(t *testing.T, be op.Backend) {
	const clip, t5, tokens = 24, 48, 9 // widths of states; tokens that CLIP reads
	row := func(states []float32, width, at int) []float32 { return states[at*width : (at+1)*width] }
	for name, c := range map[string]struct {
		make func(f *fixture)
		join func(states, pooled [][]float32) (txt, vector []float32)
		pads []uint32 // of each encoder
		read int      // tokens of the encoder that the context begins with
	}{
		"FLUX with T5": {func(f *fixture) {
			f.addT5(7)
			f.dit["context_in_dim"] = t5
			f.tensors["dit"]["txt_in.weight"] = &tensor{[]int{48, t5}, wave(48*t5, 3)}
		}, func(states, pooled [][]float32) ([]float32, []float32) { return states[1], pooled[0] }, []uint32{0, 0}, 7},
		"SD3 of three": {func(f *fixture) {
			f.secondCLIP()
			f.addT5(8)
			f.makeSD3(dit.SD3Config{InChannels: 5, Layers: 2, Heads: 2, HeadDim: 8, ContextDim: t5, PooledDim: 2 * clip, Side: 4})
		}, func(states, pooled [][]float32) (txt, vector []float32) {
			for at := range tokens {
				txt = append(append(txt, row(states[0], clip, at)...), row(states[1], clip, at)...) // which fill the width
			}
			return append(txt, states[2]...), append(pooled[0], pooled[1]...)
		}, []uint32{0, 2, 0}, tokens},
		"SD3 without T5": {func(f *fixture) {
			f.secondCLIP()
			f.makeSD3(dit.SD3Config{InChannels: 5, Layers: 2, Heads: 2, HeadDim: 8, ContextDim: t5 + 4, PooledDim: 2 * clip, Side: 4})
		}, func(states, pooled [][]float32) (txt, vector []float32) {
			for at := range tokens {
				txt = append(append(append(txt, row(states[0], clip, at)...), row(states[1], clip, at)...), 0, 0, 0, 0)
			}
			return append(txt, make([]float32, tokens*(t5+4))...), append(pooled[0], pooled[1]...)
		}, []uint32{0, 2}, tokens},
	} {
		h := &hearing{be, map[string][]*op.Tensor{}, map[*op.Tensor][]uint32{}}
		f := newFixture(t)
		c.make(f)
		e := f.load(h)
		req := frog
		req.Steps = 1
		r := picture(t, e, req)
		read := func(name string) (all [][]float32) {
			for _, x := range h.made[name] {
				data, err := be.Read(background(), x)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, data)
			}
			return all
		}
		states, pooled := read("tokens"), read("pooled vector")
		for i, ids := range h.made["ids"] {
			if last := h.ids[ids][ids.Cols-1]; last != c.pads[i] {
				t.Errorf("%s: encoder %d is padded with %d, want %d", name, i, last, c.pads[i])
			}
		}
		txt, vector := c.join(states, pooled)
		noise := packed(planes(sample.Noise(req.Seed, 5, 4, 4), 16), 4, 4)
		got, err := e.Forward(background(), engine.Pass{Rows: 2, Cols: 2, Img: noise, Txt: txt, Pooled: vector, Time: 1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, v := range got.Velocity {
			noise[i] -= v // a step from 1 to 0
		}
		near(t, name, packed(planes(r.Latent, 16), 4, 4), noise, 1e-6)
		req.Probe = &engine.ProbeRequest{}
		if p := picture(t, e, req).Probe; len(p.Tokens)+p.Padding != c.read {
			t.Errorf("%s: the probe tells of %d tokens and %d of padding, want %d", name, len(p.Tokens), p.Padding, c.read)
		}
		req.Probe = nil
		other := req
		other.Prompt = "a blue cat"
		if same(r, picture(t, e, other)) {
			t.Errorf("%s: another prompt changes nothing", name)
		}
	}
}

// planes puts the channels of a latent [pixels, c] first.
func planes(z []float32, pixels int) []float32 {
	out := make([]float32, len(z))
	for i, v := range z {
		out[i%(len(z)/pixels)*pixels+i/(len(z)/pixels)] = v
	}
	return out
}
