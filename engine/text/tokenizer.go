package text

import (
	"slices"
	"strings"
	"unicode"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

const (
	// maxVocabulary bounds what a tokenizer may claim, in tokens.
	maxVocabulary = 1 << 20
	// maxAdded bounds the added tokens, each of which is looked for at every byte.
	maxAdded = 4096
	// maxPiece bounds a token and what a character may be replaced by, in bytes.
	maxPiece = 1024
)

// Tokenizer makes ids of one fixed length out of a prompt. It keeps no state
// between calls.
type Tokenizer struct {
	frame     Frame
	rewrites  []rewrite // the normalizers, in their order
	model     model
	added     []added // found in the text as it is; longest first
	addedNorm []added // found in normalized text; longest first
}

// model cuts text into tokens.
type model interface {
	// words cuts normalized text that has no added tokens.
	words(s string) []word
	// vocabulary lists the words that it knows, where it does not know all.
	vocabulary() []string
}

// word is a token of a prompt.
type word struct {
	text    string
	id      int
	unknown bool
}

// Frame is what a text encoder asks of its tokenizer: how many tokens, and what is put
// around those of the prompt.
type Frame struct {
	Rows   int // of the embedding table: ids are below it
	Length int // tokens in all
	BOS    int // before the prompt's; -1 where there is none
	EOS    int // behind them; -1 where there is none
	PAD    int // behind all that, up to Length
}

// added is a token that is found in the text itself, before it is cut.
type added struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`     // takes the white space before it
	RStrip     bool   `json:"rstrip"`     // takes the white space behind it
	Normalized bool   `json:"normalized"` // is looked for in normalized text
}

// Tokens is a tokenized prompt: BOS where the model has one, the words, EOS, then
// padding.
type Tokens struct {
	IDs       []uint32 // as many as the model's length
	First     int      // place of the first word, behind BOS where there is one
	EOS       int      // place of the first EOS, where CLIP takes its pooled vector; -1 where there is none
	Count     int      // of IDs before the padding
	Truncated bool     // the prompt had more tokens than fit
	Words     []string // the text of IDs[First], IDs[First+1], … as it was looked up, without BOS and EOS
	Unknown   []string // distinct words or characters that are not in the vocabulary, in order
}

// setAdded takes the added tokens of a file.
func (t *Tokenizer) setAdded(list []added) error {
	if len(list) > maxAdded {
		return invalid("%d added tokens, at most %d", len(list), maxAdded)
	}
	for _, a := range list {
		switch {
		case a.Content == "" || len(a.Content) > maxPiece || a.ID < 0 || a.ID >= t.frame.Rows:
			return invalid("added token %.40q has id %d, the text encoder has rows 0 to %d", a.Content, a.ID, t.frame.Rows-1)
		case a.SingleWord:
			return invalid("added token %.40q is single_word, which is not supported", a.Content)
		case a.Normalized && t.normalize(a.Content) != "":
			a.Content = t.normalize(a.Content)
			t.addedNorm = append(t.addedNorm, a)
		default:
			t.added = append(t.added, a)
		}
	}
	longer := func(a, b added) int { return len(b.Content) - len(a.Content) }
	slices.SortStableFunc(t.added, longer)
	slices.SortStableFunc(t.addedNorm, longer)
	return nil
}

// check refuses what no text encoder asks.
func (f Frame) check() error {
	ids := []int{max(f.EOS, 0), f.PAD, max(f.BOS, 0)}
	if f.Length < 2 || f.Rows > maxVocabulary || slices.Min(ids) < 0 || slices.Max(ids) >= f.Rows {
		return fault.New(fault.ModelUnsupported, "text encoder: %d tokens with the special ids %v out of %d words, supported are 2 tokens and more out of up to %d words",
			f.Length, ids, f.Rows, maxVocabulary)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.TokenizerInvalid, "tokenizer: "+format, args...)
}

// Vocabulary lists the words it knows, in alphabetical order, without the tokens
// that stand for no word. It is empty where words are made of pieces: such a
// tokenizer knows all words.
func (t *Tokenizer) Vocabulary() []string { return t.model.vocabulary() }

// Encode tokenizes a prompt that recipe.CheckPrompt accepts.
func (t *Tokenizer) Encode(prompt string) (Tokens, error) {
	if err := recipe.CheckPrompt(prompt); err != nil {
		return Tokens{}, err
	}
	return t.Tokenize(prompt), nil
}

// Tokenize is Encode for any text, such as a reference's with control characters.
func (t *Tokenizer) Tokenize(s string) Tokens {
	f := t.frame
	out := Tokens{IDs: make([]uint32, 0, f.Length)}
	if f.BOS >= 0 {
		out.IDs = append(out.IDs, uint32(f.BOS))
	}
	out.First = len(out.IDs)
	most := f.Length
	if f.EOS >= 0 {
		most--
	}
	for _, w := range t.words(s) {
		if len(out.IDs) == most {
			out.Truncated = true
			break
		}
		if w.unknown && !slices.Contains(out.Unknown, w.text) {
			out.Unknown = append(out.Unknown, w.text)
		}
		out.IDs = append(out.IDs, uint32(w.id))
		out.Words = append(out.Words, w.text)
	}
	if f.EOS >= 0 {
		out.IDs = append(out.IDs, uint32(f.EOS))
	}
	out.Count = len(out.IDs)
	for len(out.IDs) < f.Length {
		out.IDs = append(out.IDs, uint32(f.PAD))
	}
	out.EOS = slices.IndexFunc(out.IDs, func(id uint32) bool { return int(id) == f.EOS })
	return out
}

// padded is added to the logits of a key that does not count.
const padded = -1e30

// Mask is what attention adds to the logits of every token: nothing up to the EOS
// behind the words, and what leaves the padding out from there on.
func (t Tokens) Mask() []float32 {
	mask := make([]float32, len(t.IDs))
	for i := t.Count; i < len(mask); i++ {
		mask[i] = padded
	}
	return mask
}

// Kept is for every token the row that its state is taken of: its own, or, of padding, the
// one behind them all.
func (t Tokens) Kept() []uint32 {
	rows := make([]uint32, len(t.IDs))
	for i := range rows {
		rows[i] = uint32(i)
		if i >= t.Count {
			rows[i] = uint32(len(t.IDs))
		}
	}
	return rows
}

// words cuts any text. Added tokens are found first in the text as it is ("[EOS]" in
// a prompt is that token), those that ask for it in the normalized text between these;
// what is between them is cut by itself.
func (t *Tokenizer) words(s string) (out []word) {
	found := func(a added) { out = append(out, word{text: a.Content, id: a.ID}) }
	plain := func(s string) {
		if s != "" {
			out = append(out, t.model.words(s)...)
		}
	}
	between(s, t.added, found, func(s string) {
		between(t.normalize(s), t.addedNorm, found, plain)
	})
	return out
}

// between calls found for every added token in s and plain for what is between them,
// in their order. Of tokens that begin alike the longest is taken.
func between(s string, list []added, found func(added), plain func(string)) {
	from := 0
	for i := 0; i < len(s); {
		hit := slices.IndexFunc(list, func(a added) bool { return strings.HasPrefix(s[i:], a.Content) })
		if hit < 0 {
			i++
			continue
		}
		a, before := list[hit], s[from:i]
		if a.LStrip {
			before = strings.TrimRightFunc(before, isSpace)
		}
		plain(before)
		found(a)
		i += len(a.Content)
		if a.RStrip {
			i = len(s) - len(strings.TrimLeftFunc(s[i:], isSpace))
		}
		from = i
	}
	plain(s[from:])
}

func (t *Tokenizer) normalize(s string) string {
	for _, f := range t.rewrites {
		s = f(s)
	}
	return s
}

// isSpace reports whether r is white space to Unicode.
func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }
