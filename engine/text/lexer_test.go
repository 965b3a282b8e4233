package text

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
)

var anyRows = Frame{Rows: maxVocabulary}

// The lexer reads what encoding/json reads.
func TestLexer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "</w>", `"`, `\`, "\n", "\u2028", "é", "Ġ", "😀", "\u0000", " ", "/", "{", "]", ",", "<|x|>"}
	for range 200 {
		vocab, pieces, merges := map[string]int{}, [][]any{}, []any{}
		for range rng.IntN(20) + 1 {
			var name strings.Builder
			for range rng.IntN(6) {
				name.WriteString(parts[rng.IntN(len(parts))])
			}
			vocab[name.String()] = rng.IntN(50000)
			score := -rng.ExpFloat64()
			pieces = append(pieces, []any{name.String(), score})
			word := strings.ReplaceAll(name.String(), " ", "")
			merges = append(merges, []any{word, word}, word+" "+word)
		}
		for _, indent := range []string{"", "\t"} {
			text := func(v any) []byte {
				data, err := json.MarshalIndent(v, "\r\n", indent)
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			if got, err := readVocabulary(text(vocab), anyRows); err != nil || !maps.Equal(got, vocab) {
				t.Fatalf("%s:\n%v, %v", text(vocab), got, err)
			}
			l := newLexer(text(pieces))
			for i, p := range l.pieces() {
				if p.text != pieces[i][0] || p.score != pieces[i][1] {
					t.Fatalf("%s: piece %d is %v", text(pieces), i, p)
				}
			}
			if l.err != nil || l.at != len(l.text) {
				t.Fatalf("%s: %v at %d", text(pieces), l.err, l.at)
			}
			l = newLexer(text(merges))
			got := l.merges()
			for i := 0; i < len(merges); i += 2 {
				want := merges[i].([]any)
				if pair := (mergeNames{want[0].(string), want[1].(string)}); got[i] != pair || got[i+1] != pair {
					t.Fatalf("%s: merge %d is %q and %q", text(merges), i, got[i], got[i+1])
				}
			}
			if l.err != nil || len(got) != len(merges) {
				t.Fatalf("%s: %d merges, %v", text(merges), len(got), l.err)
			}
		}
	}
}

// What is cut off anywhere, or is no JSON, is refused with the place.
func TestLexerRefuses(t *testing.T) {
	whole := `{"a" : 1, "b\u00e9\ud83d\ude00\n" : 2}`
	if got, err := readVocabulary([]byte(whole), anyRows); err != nil || !maps.Equal(got, map[string]int{"a": 1, "bé😀\n": 2}) {
		t.Fatalf("%v, %v", got, err)
	}
	texts := []string{`{"a":1}x`, `{"a":1,}`, `{"a":1 "b":2}`, `{"a":"1"}`, `{"a":1.5}`, `{"a":-1}`, fmt.Sprintf(`{"a":%d}`, maxVocabulary), `{"a":1e99}`, `{a:1}`, "{\"\xff\":1}", "{\"a\tb\":1}",
		`{"\x":1}`, `{"\u12g4":1}`, `{"\ud83d":1}`, `{"\ud83d\u0041":1}`, `{"\ude00":1}`, `[]`, `{}`, ``, `{"a":}`, `{"a":[]}`, `{"a\`, "{\"\\n\t\":1}"}
	for n := range len(whole) {
		texts = append(texts, whole[:n])
	}
	for _, text := range texts {
		if got, err := readVocabulary([]byte(text), anyRows); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%q is read as %v, %v", text, got, err)
		}
	}
	// The rest of a tokenizer.json is held to what encoding/json takes.
	file := `{"x":[{"y":[1,"\"",null]},true],"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1},"z":{}}}`
	if _, err := ReadTokenizer(Frame{Rows: 4, Length: 4, BOS: -1, EOS: 1}, []byte(file)); err != nil {
		t.Fatal(err)
	}
	texts = []string{strings.Replace(file, `null]`, `null}`, 1), strings.Replace(file, `true]`, `true,]`, 1), strings.Replace(file, `true`, `tru`, 1), file + "}", strings.Replace(file, `"vocab":{`, `"vocab":3,"v":{`, 1)}
	for n := range len(file) {
		texts = append(texts, file[:n])
	}
	for _, text := range slices.Compact(texts) {
		if _, err := ReadTokenizer(Frame{Rows: 4, Length: 4, BOS: -1, EOS: 1}, []byte(text)); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%q is read: %v", text, err)
		}
	}
}
