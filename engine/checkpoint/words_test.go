package checkpoint

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/text"
	"undertone/engine/weights"
)

// protoFields calls f with the fields of a protocol buffer that has only numbers, floats
// and texts.
func protoFields(b []byte, f func(number int, n uint64, content []byte)) {
	for len(b) > 0 {
		tag, k := binary.Uvarint(b)
		b = b[k:]
		var n uint64
		var content []byte
		switch tag & 7 {
		case 0:
			n, k = binary.Uvarint(b)
			b = b[k:]
		case 2:
			n, k = binary.Uvarint(b)
			content, b = b[k:k+int(n)], b[k+int(n):]
		case 5:
			n, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		}
		f(int(tag>>3), n, content)
	}
}

// The words in a GGUF file give the ids of the file of sentencepiece that they are from.
func TestGGUFWords(t *testing.T) {
	model, err := os.ReadFile(published + "tokenizer_t5.model")
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	var scores []float32
	var kinds []int32
	var table []uint8
	protoFields(model, func(number int, _ uint64, content []byte) {
		switch number {
		case 1:
			token, score, kind := "", float32(0), int32(1)
			protoFields(content, func(number int, n uint64, content []byte) {
				switch number {
				case 1:
					token = string(content)
				case 2:
					score = math.Float32frombits(uint32(n))
				case 3:
					kind = int32(n)
				}
			})
			tokens, scores, kinds = append(tokens, token), append(scores, score), append(kinds, kind)
		case 3:
			protoFields(content, func(number int, _ uint64, content []byte) {
				if number == 2 {
					table = content
				}
			})
		}
	})
	x := &weights.Index{Meta: []weights.Pair{{Key: "tokenizer.ggml.add_space_prefix", Value: true}, {Key: "tokenizer.ggml.model", Value: "t5"},
		{Key: "tokenizer.ggml.precompiled_charsmap", Value: table}, {Key: "tokenizer.ggml.remove_extra_whitespaces", Value: true},
		{Key: "tokenizer.ggml.scores", Value: scores}, {Key: "tokenizer.ggml.token_type", Value: kinds}, {Key: "tokenizer.ggml.tokens", Value: tokens}}}
	if len(tokens) < 500 || len(table) == 0 || !ggufWords(x, t5) || ggufWords(x, llama) {
		t.Fatalf("%d tokens, a table of %d bytes", len(tokens), len(table))
	}
	tok, err := text.ReadTokenizer(text.Frame{Rows: 640, Length: 48, BOS: -1, EOS: 1}, ggufPieces(x))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Text string
			IDs  []uint32
		}
	}
	data, err := os.ReadFile(published + "tokenizer_t5.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) < 60 {
		t.Fatalf("%d cases: %v", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		got := tok.Tokenize(c.Text).IDs
		if n := min(len(c.IDs), len(got)); !slices.Equal(got[:n], c.IDs[:n]) {
			t.Errorf("%.60q: %v, want %v", c.Text, got[:n], c.IDs[:n])
		}
	}
}

// Of a diffusers folder every encoder has the words that go with it, and what was given
// beside the folder counts.
func TestWords(t *testing.T) {
	bpe := `{"model":{"type":"BPE","end_of_word_suffix":"</w>"}}`
	files := append(slices.DeleteFunc(folder(t), func(f File) bool { return f.Name == "F/tokenizer_2/tokenizer.json" }),
		textFile("F/tokenizer_2/tokenizer.json", bpe), textFile("elsewhere/spiece.model", "x"))
	f := identify(t, files...)
	if got := f.Tokenizers["clip_l"]; !slices.Equal(got, []string{"F/tokenizer/vocab.json", "F/tokenizer/merges.txt"}) {
		t.Errorf("CLIP has the words %v", got)
	}
	if words, err := f.Words("t5"); err != nil || len(words) != 1 || words[0].Name != "spiece.model" {
		t.Errorf("T5 has the words %v, %v", words, err)
	}
	if err := f.Complete(true); err != nil {
		t.Error(err)
	}
}

// clipWords are a vocabulary of CLIP's kind and what the published tokenizer makes of
// some strings.
type clipWords struct {
	merges string // as OpenCLIP's file has them
	bos    int
	cases  []struct {
		Text string
		IDs  []uint32
	}
	framed bool // the ids have BOS and EOS
}

// smallCLIP is a small vocabulary, which is always here.
func smallCLIP(t *testing.T) (c clipWords) {
	t.Helper()
	var file struct {
		Merges []string
		BOS    int
		Cases  json.RawMessage
	}
	data, err := os.ReadFile("../text/testdata/clip.json")
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err == nil {
		err = json.Unmarshal(file.Cases, &c.cases)
	}
	if err != nil || len(c.cases) < 60 {
		t.Fatalf("%d cases: %v", len(c.cases), err)
	}
	c.merges, c.bos = strings.Join(file.Merges, "\n"), file.BOS
	return c
}

// publishedCLIP is CLIP's own vocabulary, which is no part of the project.
func publishedCLIP(t *testing.T) (c clipWords) {
	t.Helper()
	const wheel = "../../build/wheels/open_clip_torch-3.3.0-py3-none-any.whl"
	z, err := zip.OpenReader(wheel)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there (.ci/setup fetches it): CLIP's own vocabulary is not read", wheel)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	packed, err := z.Open("open_clip/bpe_simple_vocab_16e6.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	merges, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(published + "tokenizer_clip.json")
	if err == nil {
		err = json.Unmarshal(data, &struct{ Cases any }{&c.cases})
	}
	if err != nil || len(c.cases) != 68 {
		t.Fatalf("%d cases: %v", len(c.cases), err)
	}
	c.merges, c.bos, c.framed = string(merges), 49406, true
	return c
}

// vocabulary numbers the words of CLIP's merges: bytes, bytes at a word's end, then one word
// for each merge, and the two signs.
func (c clipWords) vocabulary(t *testing.T) (vocab map[string]int, merges []string) {
	t.Helper()
	lines := strings.Split(c.merges, "\n")[:c.bos-512+1]
	vocab = map[string]int{}
	next := 0
	add := func(name string) { vocab[name] = next; next++ }
	for _, end := range []string{"", "</w>"} { // the printable bytes, then the others as U+0100 and on
		for b := range 256 {
			if b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD {
				add(string(rune(b)) + end)
			}
		}
		for i := range 68 {
			add(string(rune(256+i)) + end)
		}
	}
	for _, line := range lines[1:] {
		add(strings.Replace(line, " ", "", 1))
	}
	add("<|startoftext|>")
	add("<|endoftext|>")
	if next != c.bos+2 {
		t.Fatalf("%d words, wanted %d", next, c.bos+2)
	}
	return vocab, lines[1:]
}

// Every form in which people have CLIP's words gives the reference's ids: merges.txt
// alone or with vocab.json, OpenCLIP's file as it is and decompressed, tokenizer.json.
func TestCLIPWords(t *testing.T) {
	for name, of := range map[string]func(*testing.T) clipWords{"small": smallCLIP, "published": publishedCLIP} {
		t.Run(name, func(t *testing.T) { testCLIPWords(t, of(t)) })
	}
}

func testCLIPWords(t *testing.T, c clipWords) {
	vocab, merges := c.vocabulary(t)
	next := len(vocab)
	encode := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	vocabJSON, mergesTXT := encode(vocab), "#version: 0.2\n"+strings.Join(merges, "\n")+"\n"
	whole := `{"added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]},
		"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":` +
		encode(`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`) + `},"behavior":"Removed","invert":true},{"type":"ByteLevel","add_prefix_space":false}]},
		"model":{"type":"BPE","end_of_word_suffix":"</w>","continuing_subword_prefix":"","vocab":` + vocabJSON + `,"merges":` + encode(merges) + `}}`
	whole = strings.Replace(whole, `"added_tokens":[]`, `"added_tokens":[{"id":`+encode(c.bos)+`,"content":"<|startoftext|>"},{"id":`+encode(c.bos+1)+`,"content":"<|endoftext|>"}]`, 1)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.WriteString(z, c.merges); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	config := publishedL()
	config.VocabSize, config.BOS, config.EOS, config.PAD = next, c.bos, c.bos+1, c.bos+1
	net := zeros("clip_l.safetensors", of(t, "clip", config, "", "F16")...)
	dev := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	for form, files := range map[string][]File{
		"merges.txt alone":            {textFile("words/merges.txt", mergesTXT)},
		"vocab.json and merges.txt":   {textFile("words/vocab.json", vocabJSON), textFile("words/merges.txt", mergesTXT)},
		"tokenizer.json":              {textFile("words/tokenizer.json", whole), textFile("words/vocab.json", vocabJSON), textFile("words/merges.txt", mergesTXT)},
		"OpenCLIP's":                  {{"bpe_simple_vocab_16e6.txt.gz", bytes.NewReader(packed.Bytes())}},
		"OpenCLIP's, decompressed":    {textFile("bpe_simple_vocab_16e6.txt", c.merges)},
		"OpenCLIP's beside the other": {textFile("x/bpe_simple_vocab_16e6.txt", c.merges), textFile("x/vocab.json", vocabJSON), textFile("x/merges.txt", mergesTXT)},
	} {
		f := identify(t, append([]File{net, dev}, files...)...)
		words, err := f.Words("clip_l")
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		var data [][]byte
		for _, w := range words {
			b := make([]byte, w.Source.Size())
			if _, err := w.Source.ReadAt(b, 0); err != nil {
				t.Fatal(err)
			}
			data = append(data, b)
		}
		tok, err := text.ReadTokenizer(text.Frame{Rows: next, Length: 512, BOS: c.bos, EOS: c.bos + 1, PAD: c.bos + 1}, data...)
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		for _, one := range c.cases {
			want := one.IDs
			if !c.framed {
				want = slices.Concat([]uint32{uint32(c.bos)}, want, []uint32{uint32(c.bos + 1)})
			}
			got, n := tok.Tokenize(one.Text).IDs, len(want)
			if c.framed {
				n-- // those of 77 tokens are cut
			}
			if n = min(n, len(got)); !slices.Equal(got[:n], want[:n]) {
				t.Errorf("%s, %.60q: %v, want %v", form, one.Text, got[:n], want[:n])
			}
		}
	}
}

// What is no gzip, or bursts, is refused by its name.
func TestPackedWords(t *testing.T) {
	net := zeros("clip_l.safetensors", of(t, "clip", publishedL(), "", "F16")...)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, maxTokenizer+1)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for says, data := range map[string][]byte{
		"cannot be decompressed":        {0x1f, 0x8b, 8, 0, 1, 2},
		"bytes decompressed, the limit": bomb.Bytes(),
	} {
		_, err := Identify([]File{net, {"bpe_simple_vocab_16e6.txt.gz", bytes.NewReader(data)}})
		if !fault.Is(err, fault.TokenizerInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "bpe_simple_vocab_16e6.txt.gz") {
			t.Errorf("%v, wanted %q", err, says)
		}
	}
}
