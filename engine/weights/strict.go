package weights

// Caps on the JSON of a manifest, so that decoding it costs little more memory
// than its text.
const (
	maxDepth   = 12
	maxKeys    = 64   // of one object
	maxJSONStr = 4096 // bytes
)

// checkJSON walks a JSON text and refuses what encoding/json would let pass:
// duplicate keys, keys it would match although they differ in case, halves of
// surrogates, and texts that are legal but absurd.
func checkJSON(text string) error {
	l := newLexer(text, noLimit)
	l.value(0)
	for l.err == nil && l.left() > 0 {
		if at, b := l.at, l.take(); b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			l.bad(BadSyntax, "byte %d, behind the end, is %q", at, b)
		}
	}
	return l.err
}

func (l *lexer) value(depth int) {
	at, b := l.at, l.peek()
	switch {
	case l.err != nil:
	case depth > maxDepth:
		l.bad(TooMany, "byte %d is nested deeper than %d", at, maxDepth)
	case b == '{':
		l.object(depth)
	case b == '[':
		l.take()
		hashes := true // only lists of hashes may be long
		for n := 0; l.more(n == 0, ']'); n++ {
			begin := l.at
			hashes = hashes && l.peek() == '"'
			l.value(depth + 1)
			if hashes = hashes && l.at-begin >= 64; n >= maxList && !hashes {
				l.bad(TooMany, "the array at byte %d has over %d elements", at, maxList)
			}
		}
	case b == '"':
		l.str(maxJSONStr)
	case b == '-' || b >= '0' && b <= '9':
		l.number()
	default:
		l.literal()
	}
}

func (l *lexer) object(depth int) {
	l.take()
	var keys [maxKeys]string
	n := 0
	for l.more(n == 0, '}') {
		at := l.at
		key := l.str(64)
		if l.err == nil && n == maxKeys {
			l.bad(TooMany, "the object around byte %d has over %d keys", at, maxKeys)
		}
		for i := range len(key) {
			if c := key[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
				l.bad(UnknownKey, "key %q; keys are lower-case letters, digits and _", key)
			}
		}
		if l.err != nil {
			return
		}
		for _, k := range keys[:n] {
			if k == key {
				l.bad(Duplicate, "key %q is there twice", key)
			}
		}
		keys[n] = key
		n++
		l.expect(':')
		l.value(depth + 1)
	}
}

// number skips a number of at most 32 characters; encoding/json checks its form.
func (l *lexer) number() {
	for n := 0; l.err == nil && l.left() > 0; n++ {
		switch b := l.next(); {
		case b >= '0' && b <= '9', b == '-', b == '+', b == '.', b|0x20 == 'e':
			l.take()
		default:
			return
		}
		if n == 32 {
			l.bad(BadNumber, "the number before byte %d has over 32 characters", l.at)
		}
	}
}

func (l *lexer) literal() {
	at := l.at
	for l.err == nil && l.left() > 0 && l.next() >= 'a' && l.next() <= 'z' {
		l.take()
	}
	switch l.text[at:l.at] {
	case "true", "false", "null":
	default:
		l.bad(BadSyntax, "byte %d begins no value of JSON", at)
	}
}
