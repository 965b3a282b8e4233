package text

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"undertone/engine/recipe"
)

// tokenCase is a string and what the published tokenizers make of it.
type tokenCase struct {
	Text      string
	IDs       []int // with BOS and EOS, without padding
	Pieces    []string
	HF        []int `json:"hf_ids"` // Hugging Face's, where they differ from sentencepiece's
	Length    int
	Truncated bool
}

func tokenCases(t testing.TB, path string, atLeast int) (cases []tokenCase, about string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vocabulary string
		Cases      []tokenCase
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < atLeast {
		t.Fatalf("%s has only %d cases", path, len(file.Cases))
	}
	return file.Cases, file.Vocabulary
}

// check compares the ids of a case. Control characters are no prompt, but have ids.
func (c tokenCase) check(t *testing.T, tok *Tokenizer, want []int) {
	t.Helper()
	f := tok.frame
	var got []int
	if f.BOS >= 0 {
		got = append(got, f.BOS)
	}
	var pieces []string
	for _, w := range tok.words(c.Text) {
		if len(got) == f.Length-1 {
			break
		}
		got, pieces = append(got, w.id), append(pieces, w.text)
	}
	got = append(got, f.EOS)
	if !slices.Equal(got, want) {
		t.Errorf("%.60q:\n got %v\nwant %v", c.Text, got, want)
	}
	if c.Pieces != nil && c.HF == nil && !slices.Equal(pieces, c.Pieces[:min(len(c.Pieces), f.Length-1)]) {
		t.Errorf("%.60q:\n got %q\nwant %q", c.Text, pieces, c.Pieces)
	}
	if recipe.CheckPrompt(c.Text) != nil {
		return
	}
	out, err := tok.Encode(c.Text)
	if err != nil {
		t.Fatal(err)
	}
	padded := slices.Clone(want)
	for len(padded) < f.Length {
		padded = append(padded, f.PAD)
	}
	for i, id := range padded {
		if int(out.IDs[i]) != id {
			t.Errorf("%.60q: id %d is %d, want %d", c.Text, i, out.IDs[i], id)
			break
		}
	}
	if out.Truncated != c.Truncated {
		t.Errorf("%.60q: truncated %t, want %t", c.Text, out.Truncated, c.Truncated)
	}
}

const t5Published = "../testdata/published/tokenizer_t5"

// t5Frame is that of the published ids.
var t5Frame = Frame{Rows: 640, Length: 48, BOS: -1, EOS: 1, PAD: 0}

func t5Model(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(t5Published + ".model")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The ids of sentencepiece itself.
func TestSentencePieceIDs(t *testing.T) {
	tok, err := ReadTokenizer(t5Frame, t5Model(t))
	if err != nil {
		t.Fatal(err)
	}
	cases, _ := tokenCases(t, t5Published+".json", 68)
	for _, c := range cases {
		c.check(t, tok, c.IDs)
	}
}

// t5JSON writes the pieces of a sentencepiece file as transformers 5 writes a T5's
// tokenizer.json, but for normalizer and pre-tokenizer.
func t5JSON(t testing.TB, model []byte, normalizer, pretok string) []byte {
	t.Helper()
	m, err := readSPModel(model)
	if err != nil {
		t.Fatal(err)
	}
	var vocab [][2]any
	for _, p := range m.pieces {
		vocab = append(vocab, [2]any{p.text, p.score})
	}
	added := `[{"id":0,"content":"<pad>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
		{"id":1,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
		{"id":2,"content":"<unk>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
		{"id":620,"content":"<extra_id_0>","single_word":false,"lstrip":true,"rstrip":true,"normalized":false,"special":true}]`
	if normalizer == "" {
		n, err := json.Marshal(map[string]any{"type": "Precompiled", "precompiled_charsmap": m.charsmap})
		if err != nil {
			t.Fatal(err)
		}
		normalizer = string(n)
	}
	list, err := json.Marshal(vocab)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":` + added + `,"normalizer":` + normalizer +
		`,"pre_tokenizer":` + pretok + `,"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},
		{"SpecialToken":{"id":"</s>","type_id":0}}],"pair":[],"special_tokens":{"</s>":{"id":"</s>","ids":[1],"tokens":["</s>"]}}},
		"decoder":null,"model":{"type":"Unigram","unk_id":2,"vocab":` + string(list) + `,"byte_fallback":false}}`)
}

const (
	t5Metaspace = `{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}`
	t5Pretok    = `{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},` + t5Metaspace + `]}`
)

// The ids of Hugging Face's T5Tokenizer, made of the same pieces.
func TestT5JSONIDs(t *testing.T) {
	tok, err := ReadTokenizer(t5Frame, t5JSON(t, t5Model(t), "", t5Pretok))
	if err != nil {
		t.Fatal(err)
	}
	cases, _ := tokenCases(t, t5Published+".json", 68)
	differ := 0
	for _, c := range cases {
		want := c.IDs
		if c.HF != nil {
			want = c.HF
			differ++
		}
		c.check(t, tok, want)
	}
	if differ != 2 {
		t.Errorf("%d strings have other ids than sentencepiece's, want 2", differ)
	}
}
