// Package text turns a prompt into what a diffusion transformer reads: token ids
// (Tokenizer), then token states and, of CLIP, one pooled vector (CLIP, T5).
//
// The shipped tokenizer is of the kind the field calls WordLevel: a word is a
// token. tokenizer.json has the format of Hugging Face's tokenizers, and for any
// text the ids here are those of that library.
package text

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sugarme/tokenizer/normalizer"
	"golang.org/x/text/unicode/norm"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// maxVocabulary bounds what a tokenizer.json may claim.
const maxVocabulary = 1 << 20

// Tokenizer makes ids of one fixed length out of a prompt. It keeps no state
// between calls.
//
// Words are cut by sugarme/tokenizer. Its own pattern for Whitespace knows ASCII
// only, its NFKC leaves text decomposed, and its models import net/http with all
// of crypto, 0.35 MB of the compressed program for a look-up in a map: so the
// pattern, the normal form and the look-up are here.
type Tokenizer struct {
	frame
	vocab       map[string]int
	nfkc, lower bool
	special     []added // longest first
	unknown     int
}

type added struct {
	ID      int    `json:"id"`
	Content string `json:"content"`
}

// Tokens is a tokenized prompt: BOS where the model has one, the words, EOS, then
// padding.
type Tokens struct {
	IDs       []uint32 // as many as the model's length
	First     int      // place of the first word, behind BOS where there is one
	EOS       int      // place of the first EOS, where CLIP takes its pooled vector
	Truncated bool     // the prompt had more tokens than fit
	Words     []string // the text of IDs[First], IDs[First+1], … as it was looked up, without BOS and EOS
	Unknown   []string // distinct words that are not in the vocabulary, in order
}

// component is a normalizer or pre-tokenizer in tokenizer.json.
type component struct {
	Type        string      `json:"type"`
	Normalizers []component `json:"normalizers"`
}

// NewTokenizer reads a tokenizer.json: a WordLevel model, NFKC and Lowercase as
// normalizers, Whitespace as pre-tokenizer. The configuration is that of the text
// encoder, whose embedding table must have a row for every id of the file; its
// MaxLength counts tokens with BOS and EOS. What the file asks beyond that is refused
// with fault.TokenizerInvalid.
func NewTokenizer(data []byte, c Config) (*Tokenizer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return newTokenizer(data, c.VocabSize, frame{c.MaxLength, []uint32{uint32(c.BOS)}, uint32(c.EOS), uint32(c.PAD)})
}

// frame is what is put around the words of a prompt.
type frame struct {
	length   int      // of the whole
	bos      []uint32 // before the words: one id or none
	eos, pad uint32
}

// newTokenizer is NewTokenizer for any text encoder with so many rows.
func newTokenizer(data []byte, rows int, f frame) (*Tokenizer, error) {
	var file struct {
		Added        []added    `json:"added_tokens"`
		Normalizer   *component `json:"normalizer"`
		PreTokenizer *component `json:"pre_tokenizer"`
		Post         any        `json:"post_processor"`
		Model        struct {
			Type  string         `json:"type"`
			Vocab map[string]int `json:"vocab"`
			Unk   string         `json:"unk_token"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "tokenizer.json is not what it should be")
	}
	invalid := func(format string, args ...any) error {
		return fault.New(fault.TokenizerInvalid, "tokenizer.json: "+format, args...)
	}
	t := &Tokenizer{frame: f}
	m := file.Model
	switch {
	case m.Type != "WordLevel":
		return nil, invalid("model %q, only WordLevel is supported", m.Type)
	case file.PreTokenizer == nil || file.PreTokenizer.Type != "Whitespace":
		return nil, invalid("the pre-tokenizer must be Whitespace")
	case file.Post != nil:
		return nil, invalid("a post-processor is not supported")
	case len(m.Vocab) == 0 || len(m.Vocab) > maxVocabulary:
		return nil, invalid("%d words, supported 1 to %d", len(m.Vocab), maxVocabulary)
	}
	for _, word := range slices.Sorted(maps.Keys(m.Vocab)) {
		if id := m.Vocab[word]; id < 0 || id >= rows {
			return nil, invalid("word %.40q has id %d, the text encoder has rows 0 to %d", word, id, rows-1)
		}
	}
	unknown, ok := m.Vocab[m.Unk]
	if !ok {
		return nil, invalid("the unknown token %.40q is not in the vocabulary", m.Unk)
	}
	t.unknown = unknown
	if file.Normalizer != nil {
		parts := []component{*file.Normalizer}
		if file.Normalizer.Type == "Sequence" {
			parts = file.Normalizer.Normalizers
		}
		for _, p := range parts {
			switch {
			case p.Type == "NFKC" && !t.lower: // first: "ℌ" has a lower case only after it
				t.nfkc = true
			case p.Type == "Lowercase":
				t.lower = true
			default:
				return nil, invalid("normalizer %.40q; supported: NFKC, then Lowercase", p.Type)
			}
		}
	}
	for _, a := range file.Added {
		if a.Content == "" || a.ID < 0 || a.ID >= rows {
			return nil, invalid("added token %.40q has id %d, the text encoder has rows 0 to %d", a.Content, a.ID, rows-1)
		}
		t.special = append(t.special, a)
	}
	slices.SortStableFunc(t.special, func(a, b added) int { return len(b.Content) - len(a.Content) })
	t.vocab = m.Vocab
	return t, nil
}

// Vocabulary lists the words it knows, in alphabetical order, without the tokens
// that stand for no word.
func (t *Tokenizer) Vocabulary() []string {
	var list []string
	for word := range t.vocab {
		if strings.ContainsFunc(word, unicode.IsLetter) && !strings.ContainsAny(word, "[]<>|") {
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return list
}

// Encode tokenizes a prompt that recipe.CheckPrompt accepts.
func (t *Tokenizer) Encode(prompt string) (Tokens, error) {
	if err := recipe.CheckPrompt(prompt); err != nil {
		return Tokens{}, err
	}
	out := Tokens{IDs: make([]uint32, 0, t.length), First: len(t.bos), EOS: -1}
	out.IDs = append(out.IDs, t.bos...)
	for _, w := range t.words(prompt) {
		if len(out.IDs) == t.length-1 {
			out.Truncated = true
			break
		}
		if w.id == t.unknown && !slices.Contains(out.Unknown, w.text) {
			out.Unknown = append(out.Unknown, w.text)
		}
		out.IDs = append(out.IDs, uint32(w.id))
		out.Words = append(out.Words, w.text)
	}
	out.IDs = append(out.IDs, t.eos)
	for len(out.IDs) < t.length {
		out.IDs = append(out.IDs, t.pad)
	}
	out.EOS = slices.Index(out.IDs, t.eos)
	return out, nil
}

// padded is added to the logits of a key that does not count.
const padded = -1e30

// Mask is what attention adds to the logits of every token: nothing up to the EOS
// behind the words, and what leaves the padding out from there on.
func (t Tokens) Mask() []float32 {
	mask := make([]float32, len(t.IDs))
	for i := t.First + len(t.Words) + 1; i < len(mask); i++ {
		mask[i] = padded
	}
	return mask
}

type word struct {
	text string
	id   int
}

// words splits any text and looks its words up. Added tokens are found in the
// raw text, as in the original library: "[EOS]" in a prompt is that token.
func (t *Tokenizer) words(s string) []word {
	var out []word
	plain := func(s string) {
		for _, w := range split(t.normalize(s)) {
			id := t.unknown
			if known, ok := t.vocab[w]; ok {
				id = known
			}
			out = append(out, word{w, id})
		}
	}
	from := 0
	for i := 0; i < len(s); {
		hit := slices.IndexFunc(t.special, func(a added) bool { return strings.HasPrefix(s[i:], a.Content) })
		if hit < 0 {
			i++
			continue
		}
		plain(s[from:i])
		out = append(out, word{t.special[hit].Content, t.special[hit].ID})
		i += len(t.special[hit].Content)
		from = i
	}
	plain(s[from:])
	return out
}

// normalize applies NFKC and lower case. Lower case is taken rune by rune, so a
// final sigma stays σ; U+0130 is the one letter whose lower case is two runes.
func (t *Tokenizer) normalize(s string) string {
	if t.nfkc {
		s = norm.NFKC.String(s)
	}
	if !t.lower {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r == 'İ' {
			b.WriteString("i̇")
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

const (
	space = iota
	letter
	punctuation
)

// class tells white space, \w and the rest apart as Unicode's regular
// expressions do (UTS 18, annex C): \w is alphabetic, marks, decimal digits,
// connector punctuation and the two joiners. Go's own \w and \s know ASCII only.
func class(r rune) int {
	switch {
	case unicode.Is(unicode.White_Space, r):
		return space
	case unicode.IsLetter(r), unicode.IsMark(r),
		unicode.In(r, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control):
		return letter
	}
	return punctuation
}

// split is the pre-tokenizer Whitespace: the matches of \w+|[^\w\s]+.
func split(s string) []string {
	var out []string
	for _, word := range normalizer.NewNormalizedFrom(s).Split(runs{}, normalizer.RemovedBehavior) {
		out = append(out, word.GetNormalized())
	}
	return out
}

// runs is the pattern of split: runs of one class, of which those of white space
// match and are removed.
type runs struct{}

func (runs) FindMatches(s string) (out []normalizer.OffsetsMatch) {
	start, was := 0, space
	end := func(i int) {
		if i > start {
			out = append(out, normalizer.OffsetsMatch{Offsets: []int{start, i}, Match: was == space})
		}
	}
	for i, r := range s {
		if c := class(r); c != was {
			end(i)
			start, was = i, c
		}
	}
	end(len(s))
	return out
}
