package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

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
	if len(tokens) < 500 || len(table) == 0 || !ggufWords(x) {
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
	bpe := `{"model":{"type":"BPE"}}`
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
