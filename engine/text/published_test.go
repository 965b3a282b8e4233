package text

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
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

func tokenCases(t *testing.T, path string, atLeast int) (cases []tokenCase, about string) {
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

// CLIP's vocabulary is no part of the project: .ci/setup fetches the package that has it.
const clipWheel = "../../build/wheels/open_clip_torch-3.3.0-py3-none-any.whl"

// clipMerges is bpe_simple_vocab_16e6.txt, of the hash that the published ids name.
func clipMerges(t testing.TB, about string) []byte {
	t.Helper()
	wheel, err := zip.OpenReader(clipWheel)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there (.ci/setup fetches it): CLIP's ids are not compared with its own vocabulary", clipWheel)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer wheel.Close()
	f, err := wheel.Open("open_clip/bpe_simple_vocab_16e6.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(packed); !strings.Contains(about, hex.EncodeToString(sum[:])) {
		t.Fatalf("the vocabulary has the hash %x, the ids were made with: %s", sum, about)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	merges, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return merges
}

const clipPublished = "../testdata/published/tokenizer_clip.json"

// The ids of Hugging Face's CLIPTokenizer with CLIP's own vocabulary, whichever files
// it comes in, with the padding of both CLIPs.
func TestCLIPIDs(t *testing.T) {
	cases, about := tokenCases(t, clipPublished, 68)
	merges := clipMerges(t, about)
	for name, files := range clipForms(t, merges, 49406) {
		for _, pad := range []int{49407, 0} {
			tok, err := ReadTokenizer(Frame{49408, 77, 49406, 49407, pad}, files...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, c := range cases {
				if len(c.IDs) != c.Length {
					t.Fatalf("%.60q has %d ids, it says %d", c.Text, len(c.IDs), c.Length)
				}
				c.check(t, tok, c.IDs)
			}
		}
	}
}

// clipForms are the files that a CLIP's tokenizer comes in, made of its merges.
func clipForms(t testing.TB, mergesTXT []byte, bos int) map[string][][]byte {
	t.Helper()
	list, err := readMerges(mergesTXT)
	if err != nil {
		t.Fatal(err)
	}
	vocab, list, err := vocabularyOf(list, Frame{BOS: bos, EOS: bos + 1})
	if err != nil {
		t.Fatal(err)
	}
	vocabJSON, err := json.Marshal(vocab)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"#version: 0.2"}
	for _, m := range list {
		lines = append(lines, m[0]+" "+m[1])
	}
	// As transformers 5 writes it, and as the files of 2022 have it.
	file := func(merges any, pattern string) []byte {
		part := func(v any) string {
			data, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		special := func(id int, name string) string {
			return `{"id":` + part(id) + `,"content":` + part(name) + `,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}`
		}
		return []byte(`{"version":"1.0","truncation":null,"padding":null,"added_tokens":[` + special(bos, clipStart) + `,` + special(bos+1, clipEnd) + `],
			"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]},
			"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":` + part(pattern) + `},"behavior":"Removed","invert":true},
				{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}]},
			"post_processor":{"type":"RobertaProcessing","sep":["<|endoftext|>",` + part(bos+1) + `],"cls":["<|startoftext|>",` + part(bos) + `],"trim_offsets":false,"add_prefix_space":false},
			"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
			"model":{"type":"BPE","dropout":null,"unk_token":"<|endoftext|>","continuing_subword_prefix":"","end_of_word_suffix":"</w>","fuse_unk":false,
				"byte_fallback":false,"ignore_merges":false,"vocab":` + string(vocabJSON) + `,"merges":` + part(merges) + `}}`)
	}
	return map[string][][]byte{
		"tokenizer.json":            {file(list, clipPatternSpecial)},
		"tokenizer.json of 2022":    {file(lines[1:], clipPattern)},
		"vocab.json and merges.txt": {vocabJSON, []byte(strings.Join(lines, "\n") + "\n")},
		"merges.txt and vocab.json": {[]byte(strings.Join(lines, "\r\n")), vocabJSON},
		"merges":                    {mergesTXT},
	}
}
