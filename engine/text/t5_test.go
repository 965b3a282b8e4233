package text

import (
	"os"
	"slices"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Where the buckets of T5 v1.1 begin: one for each distance below 8, then at
// 8·16^(k/8); keys behind the query have their own half.
func TestT5Buckets(t *testing.T) {
	for distance := range 8 {
		if b := t5Bucket(-distance); b != distance {
			t.Errorf("a key %d before the query is in bucket %d", distance, b)
		}
	}
	for k, begins := range []int{8, 12, 16, 23, 32, 46, 64, 91} {
		for distance, want := range map[int]int{
			-begins: 8 + k, -(begins - 1): 7 + k,
			begins: 24 + k, begins - 1: 23 + k,
		} {
			if b := t5Bucket(distance); b != want {
				t.Errorf("distance %d is in bucket %d, want %d", distance, b, want)
			}
		}
	}
	for _, far := range []int{92, 127, 128, 129, 511, 1023, 4095} {
		if before, behind := t5Bucket(-far), t5Bucket(far); before != 15 || behind != 31 {
			t.Errorf("distance %d is in the buckets %d and %d, want 15 and 31", far, before, behind)
		}
	}
}

var smallT5 = T5Config{VocabSize: 1000, Width: 8, HeadDim: 12, MLP: 5, NumLayers: 1, NumHeads: 3, MaxLength: 6, EOS: 2, PAD: 0}

// described makes weights without memory.
type described struct{}

func (described) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (described) Has(string) bool { return true }

func (described) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func TestT5Check(t *testing.T) {
	for name, change := range map[string]func(c *T5Config){
		"width":     func(c *T5Config) { c.Width = 6 },
		"too wide":  func(c *T5Config) { c.Width = 8196 },
		"head":      func(c *T5Config) { c.HeadDim = 6 },
		"wide head": func(c *T5Config) { c.HeadDim = op.MaxHeadDim + 4 },
		"no heads":  func(c *T5Config) { c.NumHeads = 0 },
		"no layers": func(c *T5Config) { c.NumLayers = 0 },
		"no MLP":    func(c *T5Config) { c.MLP = 0 },
		"length":    func(c *T5Config) { c.MaxLength = 1025 },
		"words":     func(c *T5Config) { c.VocabSize = 0 },
		"end":       func(c *T5Config) { c.EOS = 1000 },
		"padding":   func(c *T5Config) { c.PAD = -1 },
		"nothing":   func(c *T5Config) { c.MaxLength = 0 },
	} {
		c := smallT5
		change(&c)
		if _, err := LoadT5(c, described{}); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v, want %s", name, err, fault.ModelUnsupported)
		}
	}
	end := smallT5
	end.MaxLength = 1
	if _, err := LoadT5(end, described{}); err != nil {
		t.Errorf("the end alone: %v", err)
	}
}

// A T5 reads words without a start, and its mask leaves out what is behind the end.
func TestT5Tokens(t *testing.T) {
	data, err := os.ReadFile("testdata/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := LoadT5(smallT5, described{})
	if err != nil {
		t.Fatal(err)
	}
	tok, err := m.Tokenizer(data)
	if err != nil {
		t.Fatal(err)
	}
	frog := uint32(tok.model.(*wordLevel).vocab["frog"])
	for _, c := range []struct {
		prompt    string
		ids       []uint32
		counts    int
		truncated bool
	}{
		{"", []uint32{2, 0, 0, 0, 0, 0}, 1, false},
		{"frog frog", []uint32{frog, frog, 2, 0, 0, 0}, 3, false},
		{"frog [EOS] frog", []uint32{frog, 2, frog, 2, 0, 0}, 4, false}, // the word is no end
		{"frog frog frog frog frog", []uint32{frog, frog, frog, frog, frog, 2}, 6, false},
		{"frog frog frog frog frog frog", []uint32{frog, frog, frog, frog, frog, 2}, 6, true},
	} {
		got, err := tok.Encode(c.prompt)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.IDs, c.ids) || got.First != 0 || got.Truncated != c.truncated {
			t.Errorf("%q: %+v, want %v", c.prompt, got, c.ids)
		}
		for i, v := range got.Mask() {
			if want := i < c.counts; (v == 0) != want || v > 0 || !want && v > -1e29 {
				t.Errorf("%q: place %d is masked by %g, want counted: %t", c.prompt, i, v, want)
			}
		}
	}
}

var smallCLIP = Config{VocabSize: 10, HiddenSize: 4, NumHeads: 1, Intermediate: 4, MaxLength: 8, Activation: "gelu", BOS: 1, EOS: 2, PAD: 0}

// CLIP refuses what it cannot give.
func TestCLIPCheck(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"no layer before the last": func(c *Config) { c.Penultimate = true },
		"projection":               func(c *Config) { c.Projection = 6 },
		"negative projection":      func(c *Config) { c.Projection = -4 },
		"wide projection":          func(c *Config) { c.Projection = 8196 },
	} {
		c := smallCLIP
		change(&c)
		if _, err := LoadCLIP(c, described{}); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v, want %s", name, err, fault.ModelUnsupported)
		}
	}
	for projection, want := range map[int]int{0: 4, 8: 8} { // the states are 4 wide
		c := smallCLIP
		c.Projection = projection
		m, err := LoadCLIP(c, described{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Shape().Pooled; got != want {
			t.Errorf("projected to %d, the pooled vector is %d wide, want %d", projection, got, want)
		}
	}
}
