package weights

import (
	"encoding/json"
)

// Caps on JSON that is not ours: a list of a model's shards has one key for each of
// some thousand tensors.
const (
	maxForeignDepth = 32
	maxForeignKeys  = 1 << 17
	maxForeignKey   = 1024 // bytes
)

// ParseObject reads a JSON object that another program wrote, such as a config.json, and
// gives the text of every value by its key, exactly as it is written. It refuses what
// encoding/json would let pass: duplicate keys and halves of surrogates. Values are
// checked by whoever decodes them. The caller bounds the length of the text.
func ParseObject(text []byte) (map[string]json.RawMessage, error) {
	l := newLexer(string(text), noLimit)
	out := map[string]json.RawMessage{}
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		key := l.str(maxForeignKey)
		l.expect(':')
		l.peek()
		begin := l.at
		l.skip(1)
		if l.err != nil {
			return nil, l.err
		}
		if _, twice := out[key]; twice {
			return nil, refuse(Duplicate, "the key %.80q is there twice", key)
		}
		if len(out) == maxForeignKeys {
			return nil, refuse(TooMany, "the object has over %d keys", maxForeignKeys)
		}
		out[key] = json.RawMessage(l.text[begin:l.at])
	}
	for l.err == nil && l.left() > 0 {
		if at, b := l.at, l.take(); b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			l.bad(BadSyntax, "byte %d, behind the end, is %q", at, b)
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	return out, nil
}

// skip passes one value of any kind.
func (l *lexer) skip(depth int) {
	at, b := l.at, l.peek()
	switch {
	case l.err != nil:
	case depth > maxForeignDepth:
		l.bad(TooMany, "byte %d is nested deeper than %d", at, maxForeignDepth)
	case b == '{':
		l.take()
		for first := true; l.more(first, '}'); first = false {
			l.str(len(l.text))
			l.expect(':')
			l.skip(depth + 1)
		}
	case b == '[':
		l.take()
		for first := true; l.more(first, ']'); first = false {
			l.skip(depth + 1)
		}
	case b == '"':
		l.str(len(l.text))
	case b == '-' || b >= '0' && b <= '9':
		l.number()
	default:
		l.literal()
	}
}
