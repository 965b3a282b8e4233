package text

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// The file of sentencepiece is a protocol buffer, ModelProto of its
// sentencepiece_model.proto. These are the fields that are read.
const (
	spPieces        = 1 // of ModelProto, repeated
	spTrainerSpec   = 2
	spNormalizeSpec = 3

	spText  = 1 // of a piece
	spScore = 2 // float
	spType  = 3

	spModelType    = 3  // of the trainer
	spSpaceBehind  = 24 // ▁ behind words
	spByteFallback = 35

	spCharsmap    = 2 // of the normalizer
	spDummyPrefix = 3 // ▁ before the text
	spFewerSpaces = 4 // none at the ends, and one of a run
	spEscape      = 5 // spaces become ▁
)

// Types of pieces.
const (
	spNormal = 1 + iota
	spUnknown
	spControl
	spChosen
	spUnused
	spByte
)

const spUnigram = 1 // a type of model

// spField is a field of a protocol buffer.
type spField struct {
	number int
	bits   uint64 // a number, or the bits of a float
	bytes  []byte // a string or a message
}

func (f spField) float() float64 { return float64(math.Float32frombits(uint32(f.bits))) }
func (f spField) bool() bool     { return f.bits != 0 }

var errProtobuf = errors.New("it ends within a field, or has one of no known kind")

// fields calls f with every field of a protocol buffer.
func fields(data []byte, f func(spField) error) error {
	for len(data) > 0 {
		tag, n := binary.Uvarint(data)
		if n <= 0 || tag>>3 == 0 || tag>>3 >= 1<<29 {
			return errProtobuf
		}
		data = data[n:]
		field, size := spField{number: int(tag >> 3)}, 0
		switch tag & 7 {
		case 0:
			field.bits, size = binary.Uvarint(data)
			if size <= 0 {
				return errProtobuf
			}
		case 1:
			if size = 8; len(data) >= size {
				field.bits = binary.LittleEndian.Uint64(data)
			}
		case 2:
			length, n := binary.Uvarint(data)
			if n <= 0 || length > uint64(len(data)-n) {
				return errProtobuf
			}
			size = n + int(length)
			field.bytes = data[n:size]
		case 5:
			if size = 4; len(data) >= size {
				field.bits = uint64(binary.LittleEndian.Uint32(data))
			}
		default:
			return errProtobuf
		}
		if size > len(data) {
			return errProtobuf
		}
		data = data[size:]
		if err := f(field); err != nil {
			return err
		}
	}
	return nil
}

// spModel is what is read of a file of sentencepiece.
type spModel struct {
	pieces       []spPiece // their ids are their places
	modelType    uint64
	spaceBehind  bool
	byteFallback bool
	charsmap     []byte
	spacing      spSpacing
}

type spPiece struct {
	text  string
	score float64
	kind  uint64
}

// spSpacing says what sentencepiece does with spaces.
type spSpacing struct{ dummyPrefix, fewerSpaces, escape bool }

func readSPModel(data []byte) (*spModel, error) {
	m := &spModel{modelType: spUnigram, spacing: spSpacing{true, true, true}} // what absent fields mean
	err := fields(data, func(f spField) error {
		switch f.number {
		case spPieces:
			p := spPiece{kind: spNormal}
			err := fields(f.bytes, func(f spField) error {
				switch f.number {
				case spText:
					p.text = string(f.bytes)
				case spScore:
					p.score = f.float()
				case spType:
					p.kind = f.bits
				}
				return nil
			})
			m.pieces = append(m.pieces, p)
			if len(m.pieces) > maxVocabulary {
				return invalid("more than %d pieces", maxVocabulary)
			}
			return err
		case spTrainerSpec:
			return fields(f.bytes, func(f spField) error {
				switch f.number {
				case spModelType:
					m.modelType = f.bits
				case spSpaceBehind:
					m.spaceBehind = f.bool()
				case spByteFallback:
					m.byteFallback = f.bool()
				}
				return nil
			})
		case spNormalizeSpec:
			return fields(f.bytes, func(f spField) error {
				switch f.number {
				case spCharsmap:
					m.charsmap = f.bytes
				case spDummyPrefix:
					m.spacing.dummyPrefix = f.bool()
				case spFewerSpaces:
					m.spacing.fewerSpaces = f.bool()
				case spEscape:
					m.spacing.escape = f.bool()
				}
				return nil
			})
		}
		return nil
	})
	if errors.Is(err, errProtobuf) {
		return nil, invalid("this is no file of sentencepiece: %v", err)
	}
	return m, err
}

// newSentencePiece reads a file of sentencepiece with a unigram model. Its ids are
// sentencepiece's own; "</s>" in a prompt is text.
func newSentencePiece(data []byte, f Frame) (*Tokenizer, error) {
	m, err := readSPModel(data)
	if err != nil {
		return nil, err
	}
	switch {
	case m.modelType != spUnigram:
		return nil, invalid("sentencepiece's kind of model %d, only unigram (%d) is supported", m.modelType, spUnigram)
	case m.spaceBehind || !m.spacing.escape:
		return nil, invalid("treat_whitespace_as_suffix and escape_whitespaces = false are not supported")
	case len(m.pieces) == 0 || len(m.pieces) > f.Rows:
		return nil, invalid("%d pieces, the text encoder has rows 0 to %d", len(m.pieces), f.Rows-1)
	}
	n := &spNormalizer{spSpacing: m.spacing}
	if len(m.charsmap) > 0 {
		if n.charsmap, err = newCharsmap(m.charsmap); err != nil {
			return nil, err
		}
	}
	unknown, worst := -1, math.Inf(1)
	var cut []piece
	others := map[string]int{} // pieces that text is not cut into
	for id, p := range m.pieces {
		switch p.kind {
		case spNormal, spChosen:
			cut = append(cut, piece{p.text, id, p.score, p.kind == spChosen})
			if p.kind == spNormal {
				worst = min(worst, p.score)
			} else {
				n.chosen = append(n.chosen, p.text)
			}
		case spUnknown:
			if unknown >= 0 {
				return nil, invalid("pieces %d and %d are both the unknown one", unknown, id)
			}
			unknown = id
		case spControl, spUnused, spByte:
			others[p.text] = id
		default:
			return nil, invalid("piece %.40q has the type %d, supported 1 to %d", p.text, p.kind, spByte)
		}
	}
	switch {
	case unknown < 0:
		return nil, invalid("no piece is the unknown one")
	case len(n.chosen) > maxAdded:
		return nil, invalid("%d user-defined pieces, at most %d", len(n.chosen), maxAdded)
	case math.IsInf(worst, 1):
		return nil, invalid("no piece is a normal one")
	}
	slices.SortStableFunc(n.chosen, func(a, b string) int { return len(b) - len(a) })
	u, err := newUnigram(cut, unknown, worst)
	if err != nil {
		return nil, err
	}
	u.unknownScore = float64(float32(u.unknownScore))
	u.rounded, u.pretok = true, whole
	if m.byteFallback {
		if err := u.spellUnknown(func(text string) (int, bool) { id, ok := others[text]; return id, ok }); err != nil {
			return nil, err
		}
	}
	return &Tokenizer{frame: f, rewrites: []rewrite{n.rewrite}, model: u}, nil
}

// spNormalizer normalizes as sentencepiece does.
type spNormalizer struct {
	spSpacing
	charsmap *charsmap // nil: characters stay as they are
	chosen   []string  // what stays as it is; longest first
}

// rewrite replaces what the table has, spaces by ▁, and puts one before the text.
func (n *spNormalizer) rewrite(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(wordStart))
	spaced := n.fewerSpaces // a space would be one too many
	for s != "" {
		by, length := n.next(s)
		s = s[length:]
		if spaced {
			by = strings.TrimLeft(by, " ")
		}
		if by == "" {
			continue
		}
		if b.Len() == 0 && n.dummyPrefix {
			b.WriteString(wordStart)
		}
		b.WriteString(strings.ReplaceAll(by, " ", wordStart))
		spaced = n.fewerSpaces && strings.HasSuffix(by, " ")
	}
	out := b.String()
	if n.fewerSpaces {
		for strings.HasSuffix(out, wordStart) {
			out = strings.TrimSuffix(out, wordStart)
		}
	}
	return out
}

func (n *spNormalizer) next(s string) (string, int) {
	for _, c := range n.chosen {
		if strings.HasPrefix(s, c) {
			return c, len(c)
		}
	}
	if n.charsmap != nil {
		if by, length := n.charsmap.find(s, false); length > 0 {
			return by, length
		}
	}
	r, length := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && length == 1 {
		return string(utf8.RuneError), 1
	}
	return s[:length], length
}
