package text

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"undertone/engine/fault"
)

// component is a normalizer, pre-tokenizer or post-processor in tokenizer.json.
type component struct {
	Type          string      `json:"type"`
	Normalizers   []component `json:"normalizers"`
	Pretokenizers []component `json:"pretokenizers"`
	Pattern       struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
	Content    string `json:"content"`
	StripLeft  bool   `json:"strip_left"`
	StripRight bool   `json:"strip_right"`
	Charsmap   []byte `json:"precompiled_charsmap"`
	// Of Metaspace: ▁, where it is put, and whether every one begins a part.
	Replacement    string `json:"replacement"`
	AddPrefixSpace *bool  `json:"add_prefix_space"`
	PrependScheme  string `json:"prepend_scheme"`
	Split          *bool  `json:"split"`
	// Of Split.
	Behavior string `json:"behavior"`
	Invert   bool   `json:"invert"`
	// What is put around the tokens: RobertaProcessing, TemplateProcessing.
	CLS     *namedID `json:"cls"`
	SEP     *namedID `json:"sep"`
	Special map[string]struct {
		IDs []int `json:"ids"`
	} `json:"special_tokens"`
}

// namedID is a token and its id: ["</s>", 1].
type namedID struct {
	name string
	id   int
}

func (n *namedID) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[2]any{&n.name, &n.id})
}

// scored is a piece and its log probability: ["▁the", -3.2].
type scored struct {
	text  string
	score float64
}

func (s *scored) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[2]any{&s.text, &s.score})
}

// mergeNames is a pair of names: "a b", or ["a", "b"] as newer files have it.
type mergeNames [2]string

func (m *mergeNames) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[2]string)(m))
	}
	var line string
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	var ok bool
	if m[0], m[1], ok = strings.Cut(line, " "); !ok || strings.Contains(m[1], " ") {
		return fmt.Errorf("the merge %.40q has not two names", line)
	}
	return nil
}

// tokenizerJSON is the file of Hugging Face's tokenizers.
type tokenizerJSON struct {
	Added        []added    `json:"added_tokens"`
	Normalizer   *component `json:"normalizer"`
	PreTokenizer *component `json:"pre_tokenizer"`
	Post         *component `json:"post_processor"`
	Model        struct {
		Type  string          `json:"type"`
		Vocab json.RawMessage `json:"vocab"`
		// Of WordLevel and BPE.
		Unk string `json:"unk_token"`
		// Of BPE.
		Merges  []mergeNames `json:"merges"`
		Prefix  string       `json:"continuing_subword_prefix"`
		Suffix  string       `json:"end_of_word_suffix"`
		Dropout float64      `json:"dropout"`
		// Of Unigram.
		UnkID        int  `json:"unk_id"`
		ByteFallback bool `json:"byte_fallback"`
	} `json:"model"`
}

// newTokenizerJSON reads a tokenizer.json.
func newTokenizerJSON(data []byte, f Frame) (*Tokenizer, error) {
	var file tokenizerJSON
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "tokenizer.json is not what it should be")
	}
	t := &Tokenizer{frame: f}
	var err error
	if t.rewrites, err = rewritesOf(file.Normalizer); err != nil {
		return nil, err
	}
	switch file.Model.Type {
	case "WordLevel":
		t.model, err = file.wordLevel(f)
	case "BPE":
		t.model, err = file.bpe(f)
	case "Unigram":
		if t.model, err = file.unigram(f); err == nil && file.Normalizer == nil {
			t.rewrites = []rewrite{nmtNFKC}
		}
	default:
		err = invalid("model %.40q, supported: WordLevel, BPE, Unigram", file.Model.Type)
	}
	if err != nil {
		return nil, err
	}
	if err := file.Post.agrees(f); err != nil {
		return nil, err
	}
	return t, t.setAdded(file.Added)
}

// agrees refuses a post-processor that puts other tokens around the prompt's than the
// text encoder's configuration.
func (c *component) agrees(f Frame) error {
	if c == nil {
		return nil
	}
	check := func(name string, id int) error {
		if id != f.BOS && id != f.EOS {
			return invalid("%.40q, which is put around the text, has the id %d; the text encoder has %d and %d", name, id, f.BOS, f.EOS)
		}
		return nil
	}
	switch {
	case c.Type == "RobertaProcessing" && c.CLS != nil && c.SEP != nil:
		for _, n := range []*namedID{c.CLS, c.SEP} {
			if err := check(n.name, n.id); err != nil {
				return err
			}
		}
	case c.Type == "TemplateProcessing" && len(c.Special) > 0:
		for _, name := range slices.Sorted(maps.Keys(c.Special)) {
			for _, id := range c.Special[name].IDs {
				if err := check(name, id); err != nil {
					return err
				}
			}
		}
	default:
		return invalid("post-processor %.40q; supported: RobertaProcessing, TemplateProcessing, with their tokens", c.Type)
	}
	return nil
}

// vocab reads the vocabulary of WordLevel and BPE.
func (file *tokenizerJSON) vocab(f Frame) (map[string]int, error) {
	var vocab map[string]int
	if err := json.Unmarshal(file.Model.Vocab, &vocab); err != nil {
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "tokenizer.json: the vocabulary is not what it should be")
	}
	return vocab, f.checkVocabulary(vocab)
}

// checkVocabulary refuses tokens that the text encoder has no row for.
func (f Frame) checkVocabulary(vocab map[string]int) error {
	if len(vocab) == 0 || len(vocab) > maxVocabulary {
		return invalid("%d words, supported 1 to %d", len(vocab), maxVocabulary)
	}
	for name, id := range vocab {
		if id < 0 || id >= f.Rows {
			return invalid("word %.40q has id %d, the text encoder has rows 0 to %d", name, id, f.Rows-1)
		}
	}
	return nil
}

func (file *tokenizerJSON) wordLevel(f Frame) (model, error) {
	if file.PreTokenizer == nil || file.PreTokenizer.Type != "Whitespace" {
		return nil, invalid("the pre-tokenizer of WordLevel must be Whitespace")
	}
	vocab, err := file.vocab(f)
	if err != nil {
		return nil, err
	}
	return newWordLevel(vocab, file.Model.Unk)
}

// clipPattern is how CLIP splits, see clipWord. transformers 5 has its special tokens
// before it.
const (
	clipPattern        = `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
	clipPatternSpecial = `<\|startoftext\|>|<\|endoftext\|>|` + clipPattern
)

// splitsAsCLIP reports whether a pre-tokenizer is CLIP's.
func (c *component) splitsAsCLIP() bool {
	if c == nil || c.Type != "Sequence" || len(c.Pretokenizers) != 2 {
		return false
	}
	split, level := c.Pretokenizers[0], c.Pretokenizers[1]
	return split.Type == "Split" && split.Invert && split.Behavior == "Removed" &&
		(split.Pattern.Regex == clipPattern || split.Pattern.Regex == clipPatternSpecial) &&
		level.Type == "ByteLevel" && (level.AddPrefixSpace == nil || !*level.AddPrefixSpace)
}

func (file *tokenizerJSON) bpe(f Frame) (model, error) {
	m := file.Model
	switch {
	case !file.PreTokenizer.splitsAsCLIP():
		return nil, invalid("the pre-tokenizer of BPE must be CLIP's: Split by its pattern, then ByteLevel")
	case m.Suffix != wordEnd || m.Prefix != "" || m.Dropout != 0:
		return nil, invalid("BPE with %.40q at the end of a word, %.40q within and dropout %g; supported: %q, nothing and 0", m.Suffix, m.Prefix, m.Dropout, wordEnd)
	}
	vocab, err := file.vocab(f)
	if err != nil {
		return nil, err
	}
	return newCLIPBPE(f.Rows, vocab, m.Merges)
}

// metaspaces is the pre-tokenizer that a component describes, Metaspace alone or behind
// WhitespaceSplit, or nil.
func (c *component) metaspaces() func(string) []string {
	if c == nil {
		return nil
	}
	last, split := *c, metaspace
	if p := c.Pretokenizers; c.Type == "Sequence" && len(p) == 2 && p[0].Type == "WhitespaceSplit" {
		last, split = p[1], metaspaceWords
	}
	// Older files have add_prefix_space where newer ones have prepend_scheme.
	always := last.PrependScheme == "always" || last.PrependScheme == "" && (last.AddPrefixSpace == nil || *last.AddPrefixSpace)
	if last.Type != "Metaspace" || last.Replacement != wordStart || !always || last.Split != nil && !*last.Split {
		return nil
	}
	return split
}

func (file *tokenizerJSON) unigram(f Frame) (model, error) {
	split := file.PreTokenizer.metaspaces()
	if split == nil {
		return nil, invalid("the pre-tokenizer of Unigram must be Metaspace with ▁ always before the text, or WhitespaceSplit and that")
	}
	var list []scored
	if err := json.Unmarshal(file.Model.Vocab, &list); err != nil {
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "tokenizer.json: the vocabulary is not what it should be")
	}
	unknown := file.Model.UnkID
	switch {
	case len(list) == 0 || len(list) > maxVocabulary:
		return nil, invalid("%d pieces, supported 1 to %d", len(list), maxVocabulary)
	case len(list) > f.Rows:
		return nil, invalid("%d pieces, the text encoder has rows 0 to %d", len(list), f.Rows-1)
	case unknown < 0 || unknown >= len(list):
		return nil, invalid("the unknown piece has the id %d of %d", unknown, len(list))
	}
	pieces, worst := make([]piece, len(list)), math.Inf(1)
	ids := make(map[string]int, len(list))
	for id, p := range list {
		pieces[id], ids[p.text] = piece{text: p.text, id: id, score: p.score}, id
		worst = min(worst, p.score)
	}
	m, err := newUnigram(pieces, unknown, worst)
	if err != nil {
		return nil, err
	}
	m.pretok = split
	if file.Model.ByteFallback {
		if err := m.spellUnknown(func(text string) (int, bool) { id, ok := ids[text]; return id, ok }); err != nil {
			return nil, err
		}
	}
	return m, nil
}
