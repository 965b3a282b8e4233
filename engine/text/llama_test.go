package text

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// smallLlama is a small tokenizer like Llama 3's, and what Hugging Face's library makes
// of strings with it.
type smallLlama struct {
	Tokenizer json.RawMessage `json:"tokenizer"`
	Cases     []struct {
		Text string `json:"text"`
		IDs  []int  `json:"ids"`
	} `json:"cases"`
}

func readSmallLlama(t testing.TB) (c smallLlama, f Frame) {
	t.Helper()
	data, err := os.ReadFile("testdata/llama.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	begin := c.Cases[0].IDs[0] // of the empty string
	return c, Frame{Rows: begin + 2, Length: 512, BOS: begin, EOS: -1, PAD: begin + 1}
}

// The ids of Hugging Face's library: nothing stands behind the text but padding.
func TestLlamaIDs(t *testing.T) {
	c, f := readSmallLlama(t)
	tok, err := ReadTokenizer(f, c.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Cases) < 60 {
		t.Fatalf("only %d strings", len(c.Cases))
	}
	for _, s := range c.Cases {
		got := tok.Tokenize(s.Text)
		if got.EOS != -1 || got.Count != len(s.IDs) || len(got.IDs) != f.Length {
			t.Errorf("%.60q: %d of %d ids before the padding, want %d, and an end at %d", s.Text, got.Count, len(got.IDs), len(s.IDs), got.EOS)
			continue
		}
		for i, id := range got.IDs {
			want := f.PAD
			if i < len(s.IDs) {
				want = s.IDs[i]
			}
			if int(id) != want {
				t.Errorf("%.60q: id %d is %d, want %d: %q", s.Text, i, id, want, got.Words)
				break
			}
		}
		for i, m := range got.Mask() {
			if (m == 0) != (i < got.Count) {
				t.Errorf("%.60q: the mask of place %d is %g of %d", s.Text, i, m, got.Count)
				break
			}
		}
	}
}

// A text longer than the encoder reads is cut without an end.
func TestLlamaTruncates(t *testing.T) {
	c, f := readSmallLlama(t)
	f.Length = 4
	tok, err := ReadTokenizer(f, c.Tokenizer)
	if err != nil {
		t.Fatal(err)
	}
	for text, cut := range map[string]bool{"1 1": false, "1 1 1 1 1 1": true} {
		got := tok.Tokenize(text)
		if got.Truncated != cut || got.Count != 4 || len(got.IDs) != 4 {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// What a file asks for that is not supported is refused.
func TestLlamaRefuses(t *testing.T) {
	c, f := readSmallLlama(t)
	for from, to := range map[string]string{
		`"behavior":"Isolated"`: `"behavior":"Removed"`,
		`"use_regex":false`:     `"use_regex":true`,
		`\\p{N}{1,3}`:           `\\p{N}{1,2}`,
		`"dropout":null`:        `"dropout":0.1`,
		`"byte_fallback":false`: `"byte_fallback":true`,
	} {
		if !strings.Contains(string(c.Tokenizer), from) {
			t.Fatalf("the file has no %s", from)
		}
		changed := strings.ReplaceAll(string(c.Tokenizer), from, to)
		if _, err := ReadTokenizer(f, []byte(changed)); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("with %s: %v", to, err)
		}
	}
	other := f
	other.BOS--
	if _, err := ReadTokenizer(other, c.Tokenizer); !fault.Is(err, fault.TokenizerInvalid) || !strings.Contains(err.Error(), "has the id") {
		t.Errorf("with another start: %v", err)
	}
}

// What cannot be computed is named with its number.
func TestLlamaConfig(t *testing.T) {
	good := LlamaConfig{VocabSize: 128256, Width: 4096, NumLayers: 32, NumHeads: 32, KVHeads: 8, HeadDim: 128, MLP: 14336, Eps: 1e-5,
		RopeTheta: 5e5, RopeScaling: RopeScaling{8, 1, 4, 8192}, MaxLength: 128, BOS: 128000, PAD: 128009}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *LlamaConfig){
		"num_key_value_heads 5":  func(c *LlamaConfig) { c.KVHeads = 5 },
		"num_key_value_heads 0":  func(c *LlamaConfig) { c.KVHeads = 0 },
		"32 heads of 6":          func(c *LlamaConfig) { c.HeadDim = 6 },
		"hidden_size 4098":       func(c *LlamaConfig) { c.Width = 4098 },
		"rope_theta 0":           func(c *LlamaConfig) { c.RopeTheta = 0 },
		"rms_norm_eps 0":         func(c *LlamaConfig) { c.Eps = 0 },
		"rope_scaling {Factor:8": func(c *LlamaConfig) { c.RopeScaling.High = 1 },
		"1 tokens":               func(c *LlamaConfig) { c.MaxLength = 1 },
		"0 layers":               func(c *LlamaConfig) { c.NumLayers = 0 },
		"token id 128256":        func(c *LlamaConfig) { c.PAD = 128256 },
	} {
		c := good
		change(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
