package networks

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/guidance"
)

// The pictures of the shipped model on the CPU device, as hashes of the latent, the
// pixels and, where one was asked for, the probe. They may only change with the
// model's weights or with the arithmetic of engine/cpu: a change of structure leaves
// every bit as it was. Other processors than amd64 round differently (they fuse
// multiplications and additions, and have another exp).
func TestPicturesStayTheSame(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the hashes are those of amd64")
	}
	b, err := weights.LoadBundle(background(), weights.Dir(filepath.Join(root(t), "models", "sprites")), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Load(background(), cpu.New(cpu.Options{}), b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	night := engine.Term{Positive: "at night", Negative: "by day", Weight: 2, Schedule: guidance.Schedule{Kind: "constant"}}
	neon := engine.Term{Positive: "neon", Negative: "flat", Weight: 1.5, Head: 0.5, Schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}
	plain := engine.Term{Positive: "no details at all", Weight: -1.25, Schedule: guidance.Schedule{Kind: "table", Table: []float64{1, 0, 0.5, -1, 2, 0.25}}}
	word := 2
	for _, c := range []struct {
		name string
		req  engine.Request
		want string
	}{
		{"plain", engine.Request{Prompt: "a frog in a meadow", Seed: 1, Steps: 4, CFG: 1}, "42fa3966e95b6165"},
		{"largest seed", engine.Request{Prompt: "two red cars on the beach", Seed: math.MaxUint32, Steps: 2, CFG: 1}, "1e05f037d0e0c6a6"},
		{"no words", engine.Request{Seed: 65536, Steps: 1, CFG: 1}, "0917b6ebec87d4b0"},
		{"one direction", engine.Request{Prompt: "a house in the snow", Seed: 7, Steps: 2, CFG: 1, Guidance: []engine.Term{night}}, "4074f1e7dfd7b8ed"},
		{"negative weight", engine.Request{Prompt: "a house in the snow", Seed: 7, Steps: 2, CFG: 1, Guidance: []engine.Term{plain}}, "e7531d035d07ad4d"},
		{"three directions", engine.Request{Prompt: "a yellow mushroom", Seed: 9, Steps: 3, CFG: 1, Guidance: []engine.Term{night, neon, plain}}, "431a839db13714c5"},
		{"classifier-free guidance", engine.Request{Prompt: "three blue fish", Seed: 3, Steps: 2, CFG: 3.5}, "dcc0e9424743b629"},
		{"both guidances", engine.Request{Prompt: "three blue fish", Seed: 3, Steps: 2, CFG: 2, Guidance: []engine.Term{neon, plain}}, "41818fc3f8303bfb"},
		{"probe", engine.Request{Prompt: "a cat under the moon", Seed: 11, Steps: 1, CFG: 1, Guidance: []engine.Term{neon}, Probe: &engine.ProbeRequest{}}, "1f65df2b6118ee1f"},
		{"probe of a word", engine.Request{Prompt: "a cat under the moon", Seed: 11, Steps: 2, CFG: 1.5, Probe: &engine.ProbeRequest{Word: &word}}, "c4fd3a0e77c3157d"},
	} {
		c.req.Size = recipe.Square(256)
		if got := hashOf(t, picture(t, e, c.req)); got != c.want {
			t.Errorf("%s: the hash is %s, want %s", c.name, got, c.want)
		}
	}
}

// hashOf is a short hash of everything in a result that is computed, structures in
// the form in which the API gives them.
func hashOf(t *testing.T, r *engine.Result) string {
	h := sha256.New()
	add := func(data any) {
		if err := binary.Write(h, binary.LittleEndian, data); err != nil {
			t.Fatal(err)
		}
	}
	add(r.Latent)
	add(r.Image.RGBA)
	told, err := json.Marshal([]any{r.Geometry, r.Notices, r.Probe})
	if err != nil {
		t.Fatal(err)
	}
	add(told)
	if p := r.Probe; p != nil {
		add(p.Attention)
		for _, img := range p.Latents {
			add(img.RGBA)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}
