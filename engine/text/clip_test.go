package text

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

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
	list, err := readMerges(mergesTXT, bos-2*len(byteNames))
	if err != nil {
		t.Fatal(err)
	}
	vocab, err := vocabularyOf(list, Frame{BOS: bos, EOS: bos + 1})
	if err != nil {
		t.Fatal(err)
	}
	escaped, err := json.Marshal(vocab) // <, > and & as \u003c and so on
	if err != nil {
		t.Fatal(err)
	}
	var vocabJSON bytes.Buffer
	plain := json.NewEncoder(&vocabJSON)
	plain.SetEscapeHTML(false)
	if err := plain.Encode(vocab); err != nil {
		t.Fatal(err)
	}
	lines := []string{"#version: 0.2"}
	for _, m := range list {
		lines = append(lines, m[0]+" "+m[1])
	}
	// As transformers 5 writes it, and as the files of 2022 have it.
	file := func(merges any, pattern string) []byte {
		part := func(v any) string {
			var b strings.Builder
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(v); err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(b.String())
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
				"byte_fallback":false,"ignore_merges":false,"vocab":` + vocabJSON.String() + `,"merges":` + part(merges) + `}}`)
	}
	return map[string][][]byte{
		"tokenizer.json":            {file(list, clipPatternSpecial)},
		"tokenizer.json of 2022":    {file(lines[1:], clipPattern)},
		"vocab.json and merges.txt": {vocabJSON.Bytes(), []byte(strings.Join(lines, "\n") + "\n")},
		"merges.txt and vocab.json": {[]byte(strings.Join(lines, "\r\n")), escaped},
		"merges":                    {mergesTXT},
	}
}

// smallCLIPBPE is a small vocabulary of CLIP's kind (train/golden_tokens.py).
type smallCLIPBPE struct {
	Merges []string
	BOS    int
	Cases  []tokenCase
}

func readSmallCLIP(t testing.TB) (c smallCLIPBPE) {
	t.Helper()
	data, err := os.ReadFile("testdata/clip.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c smallCLIPBPE) frame() Frame {
	return Frame{Rows: c.BOS + 2, Length: 512, BOS: c.BOS, EOS: c.BOS + 1, PAD: 0}
}

// The ids of Hugging Face's library with a small vocabulary, which is always here.
func TestSmallCLIPIDs(t *testing.T) {
	c := readSmallCLIP(t)
	if len(c.Cases) < 60 || len(c.Merges) < 100 {
		t.Fatalf("only %d strings and %d merges", len(c.Cases), len(c.Merges))
	}
	for name, files := range clipForms(t, []byte(strings.Join(c.Merges, "\n")), c.BOS) {
		tok, err := ReadTokenizer(c.frame(), files...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, s := range c.Cases {
			want := append(append([]int{c.BOS}, s.IDs...), c.BOS+1)
			s.check(t, tok, want)
		}
	}
}

// OpenCLIP's file has five times as many merges as count: those behind are not read, and
// lines may end as Windows ends them.
func TestCLIPMergesThatCount(t *testing.T) {
	c := readSmallCLIP(t)
	merges := strings.Join(c.Merges, "\r\n") + "\n\nq q\none two three\n"
	tok, err := ReadTokenizer(c.frame(), []byte(merges))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Cases {
		s.check(t, tok, append(append([]int{c.BOS}, s.IDs...), c.BOS+1))
	}
}

// A vocabulary in another order than that of its merges is read by its own ids.
func TestCLIPVocabularyOfAnotherOrder(t *testing.T) {
	c := readSmallCLIP(t)
	files := clipForms(t, []byte(strings.Join(c.Merges, "\n")), c.BOS)["vocab.json and merges.txt"]
	var vocab map[string]int
	if err := json.Unmarshal(files[0], &vocab); err != nil {
		t.Fatal(err)
	}
	moved := func(id int) int { // all but start and end, the other way round
		if id < c.BOS {
			return c.BOS - 1 - id
		}
		return id
	}
	for name, id := range vocab {
		vocab[name] = moved(id)
	}
	data, err := json.Marshal(vocab)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := ReadTokenizer(c.frame(), data, files[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Cases {
		want := []int{c.BOS}
		for _, id := range s.IDs {
			want = append(want, moved(id))
		}
		s.check(t, tok, append(want, c.BOS+1))
	}
}

// A token's text is the characters that it stands for.
func TestCLIPWords(t *testing.T) {
	c := readSmallCLIP(t)
	tok, err := ReadTokenizer(c.frame(), []byte(strings.Join(c.Merges, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tok.Encode("A frog in the   MEADOW")
	if err != nil || strings.Join(got.Words, "") != "afroginthemeadow" || got.Unknown != nil {
		t.Errorf("%q, unknown %q, %v", got.Words, got.Unknown, err)
	}
	if words := tok.Vocabulary(); words == nil || len(words) != 0 {
		t.Errorf("it knows only %v", words)
	}
}

func TestCLIPRefuses(t *testing.T) {
	c := readSmallCLIP(t)
	merges := strings.Join(c.Merges, "\n")
	forms := clipForms(t, []byte(merges), c.BOS)
	whole, vocab := string(forms["tokenizer.json"][0]), string(forms["vocab.json and merges.txt"][0])
	edit := func(s, old, by string) string {
		if !strings.Contains(s, old) {
			t.Fatalf("there is no %s to change", old)
		}
		return strings.Replace(s, old, by, 1)
	}
	for _, files := range [][]string{
		{},
		{""},
		{"a b"},                         // no version: no file of merges
		{merges, merges},                // no vocabulary
		{vocab},                         // no merges
		{vocab, vocab},                  //
		{vocab, merges, merges},         //
		{whole, merges},                 // whole by itself
		{whole, vocab},                  //
		{edit(merges, "\n", "\none\n")}, // a line of one name
		{edit(merges, "\n", "\none two three\n")},           // of three
		{"#version\n" + c.Merges[1]},                        // fewer merges than the ids need
		{vocab, merges + "\nzz yy"},                         // of nothing
		{`{"a":-1}`, merges},                                // ids
		{`{"a":99999999}`, merges},                          //
		{`{"a":"b"}`, merges},                               //
		{edit(vocab, `"!</w>":`, `"x":`), merges},           // a byte is missing
		{edit(vocab, `"<|startoftext|>":`, `"x":`), merges}, // the start
		{edit(whole, `"RobertaProcessing"`, `"BertProcessing"`)},
		{edit(whole, `"cls":["<|startoftext|>",`, `"cls":["<|startoftext|>",1`)},
		{edit(whole, `"cls":["<|startoftext|>",`, `"cls":[1,`)},
		{edit(whole, `\\p{N}]`, `\\p{N}]+`)}, // numbers, not digits
		{edit(whole, `\\s+`, `\\s*`)},
		{edit(whole, `"ByteLevel","add_prefix_space":false`, `"ByteLevel","add_prefix_space":true`)},
		{edit(whole, `"dropout":null`, `"dropout":0.5`)},
		{edit(whole, `"end_of_word_suffix":"</w>"`, `"end_of_word_suffix":""`)},
		{edit(whole, `"single_word":false`, `"single_word":true`)},
		{edit(whole, `"merges":[`, `"merges":["a b c",`)},
		{edit(whole, `"merges":[`, `"merges":["a",`)},
		{edit(whole, `"merges":[`, `"merges":[3,`)},
	} {
		var data [][]byte
		for _, f := range files {
			data = append(data, []byte(f))
		}
		if _, err := ReadTokenizer(c.frame(), data...); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%.60q: %v", files, err)
		}
	}
	for _, f := range []Frame{{Rows: c.BOS + 1, Length: 77, BOS: c.BOS, EOS: c.BOS + 1}, {Rows: c.BOS + 2, Length: 1, BOS: c.BOS, EOS: c.BOS + 1},
		{Rows: c.BOS + 2, Length: 77, BOS: c.BOS, EOS: c.BOS + 1, PAD: -1}, {Rows: 1 << 21, Length: 77, BOS: c.BOS, EOS: c.BOS + 1}} {
		if _, err := ReadTokenizer(f, []byte(merges)); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// Reading CLIP's own vocabulary, and the cutting of a prompt of the greatest length
// without a space.
func BenchmarkCLIP(b *testing.B) {
	_, about := tokenCases(b, clipPublished, 68)
	files := clipForms(b, clipMerges(b, about), 49406)
	f := Frame{49408, 77, 49406, 49407, 0}
	for name, files := range files {
		b.Run("read "+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ReadTokenizer(f, files...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	tok, err := ReadTokenizer(f, files["merges"]...)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{recipe.MaxPrompt / 4, recipe.MaxPrompt} {
		b.Run(fmt.Sprintf("encode %d bytes", n), func(b *testing.B) {
			prompt := strings.Repeat("ab", n/2)
			for b.Loop() {
				if _, err := tok.Encode(prompt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
