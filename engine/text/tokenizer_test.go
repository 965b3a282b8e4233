package text

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

func open(t testing.TB, maxLength int) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile("testdata/tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := ReadTokenizer(Frame{1000, maxLength, 1, 2, 0}, data)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// The ids of Hugging Face's own library (train/golden_tokens.py).
func TestHostileStrings(t *testing.T) {
	data, err := os.ReadFile("testdata/hostile.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text      string
		Repeat    int
		IDs       []int
		IDsRepeat int
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 40 {
		t.Fatalf("only %d strings", len(cases))
	}
	tok := open(t, 32)
	for _, c := range cases {
		var got []int
		for _, w := range tok.words(strings.Repeat(c.Text, c.Repeat)) {
			got = append(got, w.id)
		}
		if want := slices.Repeat(c.IDs, c.IDsRepeat); !slices.Equal(got, want) {
			t.Errorf("%d × %q:\n got %v\nwant %v", c.Repeat, c.Text, got[:min(40, len(got))], want[:min(40, len(want))])
		}
	}
}

func TestEncode(t *testing.T) {
	tok := open(t, 6)
	id := func(w string) uint32 { return uint32(tok.model.(*wordLevel).vocab[w]) }
	frog := id("frog")
	if frog < 4 {
		t.Fatal("the test vocabulary has no frog")
	}
	for _, c := range []struct {
		prompt    string
		ids       []uint32
		eos       int
		truncated bool
		unknown   []string
	}{
		{"", []uint32{1, 2, 0, 0, 0, 0}, 1, false, nil},
		{"Frog", []uint32{1, frog, 2, 0, 0, 0}, 2, false, nil},
		{"frog frog frog frog", []uint32{1, frog, frog, frog, frog, 2}, 5, false, nil},
		{"frog frog frog frog frog", []uint32{1, frog, frog, frog, frog, 2}, 5, true, nil},
		{"Zyx frog zyx", []uint32{1, 3, frog, 3, 2, 0}, 4, false, []string{"zyx"}},
		{"frog [EOS] frog", []uint32{1, frog, 2, frog, 2, 0}, 2, false, nil}, // CLIP pools at the first
	} {
		got, err := tok.Encode(c.prompt)
		if err != nil {
			t.Errorf("%q: %v", c.prompt, err)
			continue
		}
		if !slices.Equal(got.IDs, c.ids) || got.EOS != c.eos || got.Truncated != c.truncated || !slices.Equal(got.Unknown, c.unknown) {
			t.Errorf("%q: %+v, want %+v", c.prompt, got, c)
		}
	}
}

// Of the lengths that published models read, the last word that fits is read, and
// the one after it is left out.
func TestEncodeLengths(t *testing.T) {
	for _, length := range []int{2, 3, 77, 256, 512} {
		tok := open(t, length)
		encode := func(prompt string) Tokens {
			got, err := tok.Encode(prompt)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.IDs) != length {
				t.Fatalf("%d ids of %d", len(got.IDs), length)
			}
			return got
		}
		room := length - 2
		full := encode(strings.Repeat("frog ", room))
		if full.Truncated || full.EOS != length-1 || len(full.Words) != room {
			t.Errorf("%d words in %d tokens: cut %v, the end at %d, %d words", room, length, full.Truncated, full.EOS, len(full.Words))
		}
		if more := encode(strings.Repeat("frog ", room) + "a"); !more.Truncated || !slices.Equal(more.IDs, full.IDs) {
			t.Errorf("a word too many for %d tokens: cut %v", length, more.Truncated)
		}
		if room == 0 {
			continue
		}
		start := strings.Repeat("frog ", room-1)
		if last := encode(start + "a"); slices.Equal(last.IDs, full.IDs) || !slices.Equal(last.IDs[:room], full.IDs[:room]) || last.Truncated {
			t.Errorf("another last word in %d tokens gives %v", length, last.IDs)
		}
		if less := encode(start); less.EOS != length-2 || less.Truncated || less.IDs[length-1] != 0 {
			t.Errorf("a word less than %d tokens hold: the end at %d, then %v", length, less.EOS, less.IDs[less.EOS:])
		}
	}
}

func TestVocabulary(t *testing.T) {
	tok := open(t, 6)
	words := tok.Vocabulary()
	if !slices.IsSorted(words) || !slices.Contains(words, "frog") || len(words) < 10 {
		t.Errorf("the vocabulary is %v", words)
	}
	for _, w := range words {
		if got, err := tok.Encode(w); err != nil || len(got.Unknown) != 0 {
			t.Errorf("%q is in the vocabulary and yet unknown", w)
		}
		if strings.ContainsAny(w, "[]") {
			t.Errorf("%q is no word", w)
		}
	}
}

func TestReadTokenizerRefuses(t *testing.T) {
	const good = `{"pre_tokenizer":{"type":"Whitespace"},"normalizer":{"type":"Lowercase"},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}}}`
	if _, err := ReadTokenizer(Frame{2, 8, 0, 0, 0}, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{good, ""},
		{good, "<!doctype html>"},
		{`"WordLevel"`, `"BPE"`},
		{`"Whitespace"`, `"ByteLevel"`},
		{`{"type":"Lowercase"}`, `{"type":"Sequence","normalizers":[{"type":"Lowercase"},{"type":"Prepend"}]}`},
		{`{"type":"Lowercase"}`, `{"type":"Replace"}`},
		{`"unk_token":"u"`, `"unk_token":"v"`},
		{`"a":1`, `"a":-1`},
		{`"a":1`, `"a":99999999`},
		{`"a":1`, `"a":2`}, // one row too few
		{`"u":0`, `"u":2`},
		{`"model"`, `"added_tokens":[{"id":2,"content":"x"}],"model"`},
		{`{"u":0,"a":1}`, `{}`},
		{`"model"`, `"post_processor":{"type":"TemplateProcessing"},"model"`},
		{`"model"`, `"added_tokens":[{"id":-3,"content":"x"}],"model"`},
		{`"model"`, `"added_tokens":[{"id":3,"content":""}],"model"`},
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if _, err := ReadTokenizer(Frame{2, 8, 0, 0, 0}, []byte(bad)); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Of added tokens that begin alike the longest is taken, in whatever order the file
// has them; ids end with the largest vocabulary that is supported.
func TestAddedTokens(t *testing.T) {
	file := func(id int, added string) []byte {
		return fmt.Appendf(nil, `{"pre_tokenizer":{"type":"Whitespace"},"added_tokens":[%s],"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":%d}}}`, added, id)
	}
	short, long := `{"id":7,"content":"<x>"}`, `{"id":8,"content":"<x><y>"}`
	for _, added := range []string{short + "," + long, long + "," + short} {
		tok, err := ReadTokenizer(Frame{9, 8, 0, 0, 0}, file(1, added))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tok.Encode("a<x><y><x>a")
		if err != nil || !slices.Equal(got.IDs[1:5], []uint32{1, 8, 7, 1}) {
			t.Errorf("%s: %v, %v", added, got.IDs, err)
		}
	}
	const last = 1<<20 - 1
	for id, ok := range map[int]bool{0: true, last: true, last + 1: false} {
		if _, err := ReadTokenizer(Frame{1 << 20, 8, 0, 0, 0}, file(id, "")); (err == nil) != ok {
			t.Errorf("a word with id %d: %v", id, err)
		}
		if _, err := ReadTokenizer(Frame{1 << 20, 8, 0, 0, 0}, file(1, fmt.Sprintf(`{"id":%d,"content":"x"}`, id))); (err == nil) != ok {
			t.Errorf("an added token with id %d: %v", id, err)
		}
	}
}

// Whatever a person pastes: no panic, ids of the vocabulary, one fixed length.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "a frog", "İ\u0307ß ﬁ 😀‍", "[EOS][PAD", "\r\n\t ", "\xff", "e\u0301", "日本 ١٢٣_"} {
		f.Add(s)
	}
	tok := open(f, 16)
	f.Fuzz(func(t *testing.T, s string) {
		tok.words(s) // also what CheckPrompt refuses
		got, err := tok.Encode(s)
		if err != nil {
			if utf8.ValidString(s) && len(s) <= recipe.MaxPrompt && !fault.Is(err, fault.PromptNotText) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if len(got.IDs) != 16 || got.IDs[0] != 1 || got.IDs[got.EOS] != 2 {
			t.Fatalf("%q: %v", s, got)
		}
	})
}
