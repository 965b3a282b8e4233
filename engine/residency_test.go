package engine_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// counting is a machine that counts the bytes of weights that are on it.
type counting struct {
	op.Backend
	now, peak int64
	weights   map[*op.Storage]int64
	log       []string // "+name" and "-name"
}

func (c *counting) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	t, err := c.Backend.Upload(ctx, w)
	if err == nil {
		elems, size := w.DType.Block()
		c.weights[t.Storage] = int64(w.Rows) * int64(w.Cols/elems*size)
		c.now += c.weights[t.Storage]
		c.peak = max(c.peak, c.now)
		c.log = append(c.log, "+"+w.Name)
	}
	return t, err
}

func (c *counting) Free(ts ...*op.Tensor) {
	for _, t := range ts {
		if t != nil && c.weights[t.Storage] > 0 {
			c.now -= c.weights[t.Storage]
			delete(c.weights, t.Storage)
			c.log = append(c.log, "-"+t.Storage.Name)
		}
	}
	c.Backend.Free(ts...)
}

// The shipped model within several limits of memory: every picture is the same to the
// bit, no more weights are on the machine than the limit, and without one all stay.
func TestResidency(t *testing.T) {
	b, err := weights.LoadBundle(context.Background(), weights.Dir("../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	req := engine.Request{Prompt: "two cats in the snow", Seed: 4, Steps: 1, Size: recipe.Square(256), CFG: 1}
	other := req
	other.Prompt, other.Seed = "a red car", 5
	dit, _ := b.File("dit")
	text, _ := b.File("text")
	var want []*engine.Result
	for _, limit := range []int64{0, b.Bytes(), dit.Bytes + 1<<20, dit.Bytes - 1<<20, 1} {
		c := &counting{Backend: cpu.New(cpu.Options{}), weights: map[*op.Storage]int64{}}
		e, err := engine.Load(context.Background(), c, b, engine.LoadOptions{MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		loaded := c.now
		for i, r := range []engine.Request{req, other} {
			got, err := e.Generate(context.Background(), r, nil)
			if err != nil {
				t.Fatalf("limit %d: %v", limit, err)
			}
			if limit == 0 {
				want = append(want, got)
			} else if !slices.Equal(got.Latent, want[i].Latent) || !bytes.Equal(got.Image.RGBA, want[i].Image.RGBA) {
				t.Errorf("limit %d: picture %d is another one", limit, i)
			}
		}
		removed := slices.ContainsFunc(c.log, func(s string) bool { return s[0] == '-' })
		switch {
		case limit == 0 || limit >= b.Bytes():
			if removed || c.now != loaded {
				t.Errorf("limit %d: weights have left", limit)
			}
		case loaded > text.Bytes:
			t.Errorf("limit %d: %d bytes of weights were uploaded before they were needed", limit, loaded)
		case limit > 1 && c.peak > limit+loaded: // constants of the decoder are no weights of a file
			t.Errorf("limit %d: %d bytes of weights were on the machine", limit, c.peak)
		case !removed:
			t.Errorf("limit %d: nothing has left", limit)
		}
		if limit == 1 { // one program's weights at a time: at most those of a step
			at := func(s string) int {
				return slices.IndexFunc(c.log, func(l string) bool { return strings.HasPrefix(l, s) })
			}
			order := []int{at("+text_model."), at("-text_model."), at("+double_blocks.0.img_mod"), at("-double_blocks.0.img_mod"), at("+double_blocks.0.img_attn"), at("-double_blocks.0.img_attn"), at("+decoder.layers")}
			if !slices.IsSorted(order) || order[0] < 0 {
				t.Errorf("text encoder, modulation, blocks and decoder come and go in the order %v", order)
			}
			if c.peak >= dit.Bytes {
				t.Errorf("%d bytes of weights were on the machine, the transformer alone has %d", c.peak, dit.Bytes)
			}
		}
		t.Logf("limit %d: at most %d bytes of weights", limit, c.peak)
		e.Close()
	}
}

// A weight that cannot come back is a fault of its file.
func TestResidencyWithoutItsFile(t *testing.T) {
	folder := weights.Dir("../models/sprites")
	gone := &vanishing{Opener: folder}
	b, err := weights.LoadBundle(context.Background(), gone, "model.json")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Load(context.Background(), cpu.New(cpu.Options{}), b, engine.LoadOptions{MemoryLimit: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	gone.away = true
	req := engine.Request{Prompt: "a cat", Steps: 1, Size: recipe.Square(256), CFG: 1}
	if _, err := e.Generate(context.Background(), req, nil); !fault.Is(err, fault.Fetch) {
		t.Errorf("without its files: %v", err)
	}
	gone.away = false
	if _, err := e.Generate(context.Background(), req, nil); err != nil {
		t.Errorf("with its files again: %v", err)
	}
}

// vanishing is an Opener whose files may be away.
type vanishing struct {
	weights.Opener
	away bool
}

func (v *vanishing) Open(ctx context.Context, path string) (op.Source, error) {
	if v.away {
		return nil, fault.New(fault.Fetch, "%s is away", path)
	}
	return v.Opener.Open(ctx, path)
}

// short is a machine that has memory for so many bytes of weights.
type short struct {
	counting
	room  int64
	fixed map[*op.Storage]bool
}

func (s *short) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	elems, size := w.DType.Block()
	if n := int64(w.Rows) * int64(w.Cols/elems*size); s.now+n > s.room {
		return nil, fault.New(fault.OutOfMemory, "no memory for %d bytes of %s", n, w.Name)
	}
	return s.counting.Upload(ctx, w)
}

func (s *short) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := s.counting.New(name, dt, rows, cols)
	if err == nil {
		s.fixed[t.Storage] = true
	}
	return t, err
}

func (s *short) Free(ts ...*op.Tensor) {
	for _, t := range ts {
		if t != nil {
			delete(s.fixed, t.Storage)
		}
	}
	s.counting.Free(ts...)
}

// A machine without the memory for a whole model makes the same pictures, and one that is
// too small for a part is left as it was.
func TestLoadShortOfMemory(t *testing.T) {
	b, err := weights.LoadBundle(context.Background(), weights.Dir("../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	req := engine.Request{Prompt: "two cats in the snow", Seed: 4, Steps: 1, Size: recipe.Square(256), CFG: 1}
	dit, _ := b.File("dit")
	var want *engine.Result
	for _, room := range []int64{1 << 40, dit.Bytes, 1 << 16, 0} {
		s := &short{counting{Backend: cpu.New(cpu.Options{}), weights: map[*op.Storage]int64{}}, room, map[*op.Storage]bool{}}
		e, err := engine.Load(context.Background(), s, b, engine.LoadOptions{})
		if room == 0 { // not even for the decoder's constants
			if !fault.Is(err, fault.OutOfMemory) || s.now != 0 || len(s.fixed) != 0 {
				t.Errorf("room %d: %v, %d bytes of weights and %d tensors are left", room, err, s.now, len(s.fixed))
			}
			continue
		}
		if err != nil {
			t.Fatalf("room %d: %v", room, err)
		}
		got, err := e.Generate(context.Background(), req, nil)
		switch {
		case want == nil:
			want = got
		case room < dit.Bytes:
			if !fault.Is(err, fault.OutOfMemory) {
				t.Errorf("room %d: %v", room, err)
			}
		case err != nil || !bytes.Equal(got.Image.RGBA, want.Image.RGBA):
			t.Errorf("room %d: another picture, %v", room, err)
		}
		e.Close()
	}
}
