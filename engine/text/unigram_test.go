package text

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// field writes a field of a protocol buffer: an int, a float32, a string or a message.
func field(number int, value any) []byte {
	tag := func(wire int) []byte { return binary.AppendUvarint(nil, uint64(number<<3|wire)) }
	switch v := value.(type) {
	case int:
		return binary.AppendUvarint(tag(0), uint64(v))
	case float32:
		return binary.LittleEndian.AppendUint32(tag(5), math.Float32bits(v))
	case string:
		return append(binary.AppendUvarint(tag(2), uint64(len(v))), v...)
	case []byte:
		return field(number, string(v))
	}
	panic("no field")
}

func message(parts ...[]byte) []byte { return slices.Concat(parts...) }

func spPieceOf(text string, score float32, kind int) []byte {
	return field(spPieces, message(field(spText, text), field(spScore, score), field(spType, kind)))
}

// smallSP is a file of sentencepiece without a table of normalization.
func smallSP(more ...[]byte) []byte {
	return message(append([][]byte{
		spPieceOf("<pad>", 0, spControl), spPieceOf("</s>", 0, spControl), spPieceOf("<unk>", 0, spUnknown),
		spPieceOf("▁", -2, spNormal), spPieceOf("a", -3, spNormal), spPieceOf("b", -3, spNormal),
		spPieceOf("▁ab", -4, spNormal), spPieceOf("aba", -8.5, spNormal), spPieceOf("▁a", -1, spUnused),
	}, more...)...)
}

var smallSPFrame = Frame{Rows: 300, Length: 16, BOS: -1, EOS: 1, PAD: 0}

// wordsOf tells pieces and what is unknown of a text.
func wordsOf(t *testing.T, tok *Tokenizer, s string) string {
	t.Helper()
	var out []string
	for _, w := range tok.words(s) {
		if w.unknown {
			w.text = "?" + w.text
		}
		out = append(out, w.text)
	}
	return strings.Join(out, " ")
}

// The best pieces by hand: "▁ab" + "a" (−7) before "▁" + "aba" (−10.5). Controls and
// unused pieces are no text, unknown characters are one token where they follow each
// other.
func TestUnigramByHand(t *testing.T) {
	spaces := field(spNormalizeSpec, field(spFewerSpaces, 0))
	plain := field(spNormalizeSpec, field(spDummyPrefix, 0))
	chosen := spPieceOf("xxb", 0, spChosen)
	for _, c := range []struct {
		model    []byte
		in, want string
	}{
		{smallSP(), "aba", "▁ab a"},
		{smallSP(), "  aba   aba ", "▁ab a ▁ab a"},
		{smallSP(), "a</s>b", "▁ a ?</s> b"},
		{smallSP(), "éé aéé", "▁ ?éé ▁ a ?éé"},
		{smallSP(), "", ""},
		{smallSP(), "   ", ""},
		{smallSP(spaces), " a  a ", "▁ ▁ a ▁ ▁ a ▁"},
		{smallSP(plain), "aba", "aba"},
		{smallSP(chosen), "axxbb", "▁ a xxb b"},
	} {
		tok, err := ReadTokenizer(smallSPFrame, c.model)
		if err != nil {
			t.Fatalf("%q: %v", c.in, err)
		}
		if got := wordsOf(t, tok, c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// Unknown characters are reported as they were written.
func TestUnigramUnknown(t *testing.T) {
	tok, err := ReadTokenizer(smallSPFrame, smallSP())
	if err != nil {
		t.Fatal(err)
	}
	got, err := tok.Encode("猫 a 猫 zab")
	if err != nil || !slices.Equal(got.Unknown, []string{"猫", "z"}) {
		t.Errorf("unknown are %q, %v", got.Unknown, err)
	}
	if words := tok.Vocabulary(); words == nil || len(words) != 0 {
		t.Errorf("it knows only %v", words)
	}
}

// With byte pieces nothing is unknown.
func TestUnigramBytes(t *testing.T) {
	fallback := field(spTrainerSpec, field(spByteFallback, 1))
	var pieces [][]byte
	for b := range 256 {
		pieces = append(pieces, spPieceOf("<0x"+strings.ToUpper(string("0123456789abcdef"[b>>4])+string("0123456789abcdef"[b&15]))+">", 0, spByte))
	}
	tok, err := ReadTokenizer(smallSPFrame, smallSP(append(pieces, fallback)...))
	if err != nil {
		t.Fatal(err)
	}
	if got := wordsOf(t, tok, "aéb"); got != "▁ a <0xC3> <0xA9> b" {
		t.Errorf("%q", got)
	}
	if _, err := ReadTokenizer(smallSPFrame, smallSP(append(pieces[1:], fallback)...)); !fault.Is(err, fault.TokenizerInvalid) {
		t.Errorf("without <0x00>: %v", err)
	}
}

func TestSentencePieceRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"cut":               smallSP()[:len(smallSP())-1],
		"no end of a tag":   append(smallSP(), 0x80),
		"a group":           append(smallSP(), 5<<3|3),
		"a length too much": append(smallSP(), 2<<3|2, 0x7f),
		"BPE":               smallSP(field(spTrainerSpec, field(spModelType, 2))),
		"space behind":      smallSP(field(spTrainerSpec, field(spSpaceBehind, 1))),
		"no ▁":              smallSP(field(spNormalizeSpec, field(spEscape, 0))),
		"twice":             smallSP(spPieceOf("a", -1, spNormal)),
		"two unknown":       smallSP(spPieceOf("u", -1, spUnknown)),
		"no unknown":        spPieceOf("a", -1, spNormal),
		"none normal":       spPieceOf("u", -1, spUnknown),
		"a type":            smallSP(spPieceOf("u", -1, 7)),
		"empty":             smallSP(spPieceOf("", -1, spNormal)),
		"long":              smallSP(spPieceOf(strings.Repeat("x", maxPiece+1), -1, spNormal)),
		"no text":           smallSP(spPieceOf("\xff", -1, spNormal)),
		"no number":         smallSP(spPieceOf("x", float32(math.NaN()), spNormal)),
		"infinite":          smallSP(spPieceOf("x", float32(math.Inf(1)), spNormal)),
		"no table":          smallSP(field(spNormalizeSpec, field(spCharsmap, "abc"))),
		"a trie too long":   smallSP(field(spNormalizeSpec, field(spCharsmap, "\x08\x00\x00\x00abcd"))),
		"no whole trie":     smallSP(field(spNormalizeSpec, field(spCharsmap, "\x03\x00\x00\x00abcd"))),
		"a replacement":     smallSP(field(spNormalizeSpec, field(spCharsmap, "\x04\x00\x00\x00abcd"+strings.Repeat("x", maxPiece+1)))),
		"replacement bytes": smallSP(field(spNormalizeSpec, field(spCharsmap, "\x04\x00\x00\x00abcd\xff"))),
	} {
		if _, err := ReadTokenizer(smallSPFrame, data); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	small := smallSPFrame
	small.Rows = 8
	if _, err := ReadTokenizer(small, smallSP()); !fault.Is(err, fault.TokenizerInvalid) {
		t.Errorf("9 pieces for 8 rows: %v", err)
	}
}

func TestT5JSONRefuses(t *testing.T) {
	whole := string(t5JSON(t, t5Model(t), `{"type":"NFKC"}`, t5Pretok))
	if _, err := ReadTokenizer(t5Frame, []byte(whole)); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{`"ids":[1]`, `"ids":[5]`},
		{`"TemplateProcessing"`, `"ByteLevel"`},
		{`"prepend_scheme":"always"`, `"prepend_scheme":"first"`},
		{`"split":true`, `"split":false`},
		{`"replacement":"▁"`, `"replacement":"_"`},
		{`"WhitespaceSplit"`, `"Whitespace"`},
		{`"unk_id":2`, `"unk_id":-1`},
		{`"unk_id":2`, `"unk_id":600`},
		{`"byte_fallback":false`, `"byte_fallback":true`},
		{`["\u003cpad\u003e",0]`, `["\u003c/s\u003e",0]`},
		{`["\u003cpad\u003e",0]`, `["\u003cpad\u003e","0"]`},
		{`["\u003cpad\u003e",0]`, `["",0]`},
		{`["\u003cpad\u003e",0]`, `["x",-1e300]`},
		{`"id":620`, `"id":640`},
		{`"Unigram"`, `"WordPiece"`},
		{`{"type":"NFKC"}`, `{"type":"Precompiled","precompiled_charsmap":"AAAA"}`},
		{`{"type":"NFKC"}`, `{"type":"Precompiled","precompiled_charsmap":"?"}`},
		{`{"type":"NFKC"}`, `{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"long"}`},
	} {
		bad := strings.Replace(whole, edit[0], edit[1], 1)
		if bad == whole {
			t.Fatalf("there is no %s to change", edit[0])
		}
		if _, err := ReadTokenizer(t5Frame, []byte(bad)); !fault.Is(err, fault.TokenizerInvalid) {
			t.Errorf("%s: %v", edit[1], err)
		}
	}
}

// Added tokens take the white space that they say, and what is around them is cut by
// itself; without a normalizer the rules of nmt_nfkc hold; the older pre-tokenizer and
// the normalizers of FLUX's file give the same.
func TestT5JSONParts(t *testing.T) {
	flux := `{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip","strip_left":false,"strip_right":true},
		{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"}]}`
	old := `{"type":"Metaspace","replacement":"▁","add_prefix_space":true}`
	for _, c := range []struct{ normalizer, pretok, in, want string }{
		{`null`, t5Pretok, "ﬁn\u200bx", "▁f in ▁ x"},
		{`null`, t5Pretok, "a <extra_id_0> a</s>a", "▁a <extra_id_0> ▁a </s> ▁a"},
		{`null`, t5Pretok, " \t ", ""},
		{flux, t5Metaspace, "a  a ", "▁a ▁a"},
		{flux, old, "a  a ", "▁a ▁a"},
		{flux, old, "ﬁn", "▁f in"},
	} {
		tok, err := ReadTokenizer(t5Frame, t5JSON(t, t5Model(t), c.normalizer, c.pretok))
		if err != nil {
			t.Fatal(err)
		}
		if got := wordsOf(t, tok, c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// The rules that stand in for a table agree with the table of nmt_nfkc on every
// character, as far as the table's Unicode goes.
func TestNmtNFKC(t *testing.T) {
	m, err := readSPModel(t5Model(t))
	if err != nil {
		t.Fatal(err)
	}
	table, err := newCharsmap(m.charsmap)
	if err != nil {
		t.Fatal(err)
	}
	whole := &spNormalizer{charsmap: table}
	differ, seen := 0, 0
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co) {
			continue // a surrogate, or no character in Go's Unicode
		}
		seen++
		s := string(r)
		if got, want := nmtNFKC(s), strings.ReplaceAll(whole.rewrite(s), wordStart, " "); got != want {
			if differ++; differ <= 40 {
				t.Errorf("%U becomes %+q, the table has %+q", r, got, want)
			}
		}
	}
	if seen < 250000 {
		t.Errorf("only %d characters were compared", seen)
	}
}

// Whatever the files hold: an error, or a tokenizer that gives ids of the table.
func FuzzReadTokenizer(f *testing.F) {
	word, err := ReadTokenizer(smallSPFrame, smallSP())
	if err != nil || word == nil {
		f.Fatal(err)
	}
	merges := "#version: 0.2\na b\nab c</w>\n"
	for _, s := range []string{"", "{}", `{"model":{}}`, string(smallSP()), merges,
		`{"pre_tokenizer":{"type":"Whitespace"},"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}}}`,
		`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"BAAAAAAAAAA="},"pre_tokenizer":` + t5Metaspace + `,"model":{"type":"Unigram","unk_id":0,"vocab":[["u",0],["▁a",-1]]}}`,
		string(smallSP(field(spNormalizeSpec, field(spCharsmap, charsmapOf(0x100, 0x161, 0)+"b\x00")))),
	} {
		f.Add([]byte(s), []byte(nil), "a abc é")
	}
	f.Add([]byte(`{"a":0,"b":1}`), []byte(merges), "ab")
	f.Fuzz(func(t *testing.T, one, two []byte, prompt string) {
		files := [][]byte{one, two}
		if len(two) == 0 {
			files = files[:1]
		}
		frame := Frame{Rows: 600, Length: 16, BOS: 514, EOS: 515, PAD: 0}
		tok, err := ReadTokenizer(frame, files...)
		if err != nil {
			if !fault.Is(err, fault.TokenizerInvalid) {
				t.Fatal(err)
			}
			return
		}
		prompt = strings.ToValidUTF8(prompt[:min(len(prompt), recipe.MaxPrompt)], "")
		for _, w := range tok.words(prompt) {
			if w.id < 0 || w.id >= frame.Rows {
				t.Fatalf("%q: id %d of %d", prompt, w.id, frame.Rows)
			}
		}
		tok.Vocabulary()
	})
}

// charsmapOf is a table with this trie and no replacements.
func charsmapOf(trie ...uint32) string {
	var b bytes.Buffer
	for _, v := range append([]uint32{uint32(4 * len(trie))}, trie...) {
		b.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	return b.String()
}

// Whatever the table is: text in, text out, and no more than every byte's replacement.
func FuzzCharsmap(f *testing.F) {
	m, err := readSPModel(t5Model(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.charsmap, "ﬁ² e\u0301\u0301 \u200b")
	f.Add([]byte(charsmapOf(0x100, 0x161, 0)+"b\x00"), "aa")
	f.Fuzz(func(t *testing.T, data []byte, s string) {
		table, err := newCharsmap(data)
		if err != nil {
			return
		}
		s = strings.ToValidUTF8(s[:min(len(s), recipe.MaxPrompt)], "")
		for _, out := range []string{table.byGrapheme(s), (&spNormalizer{charsmap: table}).rewrite(s)} {
			if len(out) > len(s)*maxPiece {
				t.Fatalf("%d bytes of %d", len(out), len(s))
			}
		}
	})
}
