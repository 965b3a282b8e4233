package text

import (
	"encoding/json"
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
	UseRegex *bool  `json:"use_regex"` // of ByteLevel: it splits by a pattern of its own
	// What is put around the tokens: RobertaProcessing, TemplateProcessing.
	CLS     *namedID `json:"cls"`
	SEP     *namedID `json:"sep"`
	Special map[string]struct {
		IDs []int `json:"ids"`
	} `json:"special_tokens"`
	Processors []component `json:"processors"` // of Sequence
}

// namedID is a token and its id: ["</s>", 1].
type namedID struct {
	name string
	id   int
}

func (n *namedID) UnmarshalJSON(data []byte) error {
	return json.Unmarshal(data, &[2]any{&n.name, &n.id})
}

// tokenizerJSON is the file of Hugging Face's tokenizers.
type tokenizerJSON struct {
	Added        []added    `json:"added_tokens"`
	Normalizer   *component `json:"normalizer"`
	PreTokenizer *component `json:"pre_tokenizer"`
	Post         *component `json:"post_processor"`
	Model        struct {
		Type string `json:"type"`
		// Of WordLevel and BPE.
		Unk string `json:"unk_token"`
		// Of BPE.
		Prefix  string  `json:"continuing_subword_prefix"`
		Suffix  string  `json:"end_of_word_suffix"`
		Dropout float64 `json:"dropout"`
		// A word that is a token is not put together by merges.
		IgnoreMerges bool `json:"ignore_merges"`
		// Of Unigram.
		UnkID        int  `json:"unk_id"`
		ByteFallback bool `json:"byte_fallback"`
	} `json:"model"`
	// The model's lists, which a lexer reads.
	vocab  map[string]int // of WordLevel and BPE
	pieces []scored       // of Unigram
	merges []mergeNames   // of BPE
}

// readTokenizerJSON reads the model's lists with a lexer and hands the rest, with null in
// their places, to encoding/json.
func readTokenizerJSON(data []byte, f Frame) (*tokenizerJSON, error) {
	file, l := &tokenizerJSON{}, newLexer(data)
	var rest strings.Builder
	from := 0
	model := func(key string) {
		begin := l.at
		switch c := l.peek(); {
		case key == "vocab" && c == '{':
			file.vocab = l.vocabulary(f)
		case key == "vocab" && c == '[':
			file.pieces = l.pieces()
		case key == "merges" && c == '[':
			file.merges = l.merges()
		default:
			l.skip()
			return
		}
		rest.WriteString(l.text[from:begin] + "null")
		from = l.at
	}
	l.object(func(key string) {
		if key == "model" && l.peek() == '{' {
			l.object(model)
		} else {
			l.skip()
		}
	})
	if l.err != nil {
		return nil, l.err
	}
	rest.WriteString(l.text[from:])
	if err := json.Unmarshal([]byte(rest.String()), file); err != nil {
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "tokenizer.json is not what it should be")
	}
	return file, nil
}

// newTokenizerJSON reads a tokenizer.json.
func newTokenizerJSON(data []byte, f Frame) (*Tokenizer, error) {
	file, err := readTokenizerJSON(data, f)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{frame: f}
	if t.rewrites, err = rewritesOf(file.Normalizer); err != nil {
		return nil, err
	}
	switch file.Model.Type {
	case "WordLevel":
		t.model, err = file.wordLevel()
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
	case c.Type == "Sequence" && len(c.Processors) > 0:
		for i := range c.Processors {
			if p := &c.Processors[i]; p.Type != "ByteLevel" { // which moves no token
				if err := p.agrees(f); err != nil {
					return err
				}
			}
		}
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

func (file *tokenizerJSON) wordLevel() (model, error) {
	if file.PreTokenizer == nil || file.PreTokenizer.Type != "Whitespace" {
		return nil, invalid("the pre-tokenizer of WordLevel must be Whitespace")
	}
	return newWordLevel(file.vocab, file.Model.Unk)
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
	case file.PreTokenizer.splitsAsLlama():
		return file.llamaBPE(f)
	case !file.PreTokenizer.splitsAsCLIP():
		return nil, invalid("the pre-tokenizer of BPE must be CLIP's or Llama 3's: Split by its pattern, then ByteLevel")
	case m.Suffix != wordEnd || m.Prefix != "" || m.Dropout != 0:
		return nil, invalid("BPE with %.40q at the end of a word, %.40q within and dropout %g; supported: %q, nothing and 0", m.Suffix, m.Prefix, m.Dropout, wordEnd)
	}
	return newCLIPBPE(f.Rows, file.vocab, file.merges)
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
	list, unknown := file.pieces, file.Model.UnkID
	switch {
	case len(list) == 0:
		return nil, invalid("there are no pieces in the vocabulary")
	case len(list) > f.Rows:
		return nil, invalid("%d pieces, the text encoder has rows 0 to %d", len(list), f.Rows-1)
	case unknown < 0 || unknown >= len(list):
		return nil, invalid("the unknown piece has the id %d of %d", unknown, len(list))
	}
	pieces, worst := make([]piece, len(list)), math.Inf(1)
	for id, p := range list {
		pieces[id] = piece{text: p.text, id: id, score: p.score}
		worst = min(worst, p.score)
	}
	m, err := newUnigram(pieces, unknown, worst)
	if err != nil {
		return nil, err
	}
	m.pretok = split
	if file.Model.ByteFallback {
		if err := m.spellUnknown(func(text string) (int, bool) {
			id := slices.IndexFunc(list, func(p scored) bool { return p.text == text })
			return id, id >= 0
		}); err != nil {
			return nil, err
		}
	}
	return m, nil
}
