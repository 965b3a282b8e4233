package text

import "strings"

// newCLIP makes CLIP's tokenizer of vocab.json and merges.txt. Where there is no
// vocabulary its order is that of the merges, as OpenCLIP has it: the bytes, the bytes
// at the end of a word, what the merges make, start and end; Frame.BOS says how many
// merges of the file count, and what stands behind them is not read.
func newCLIP(vocabJSON, mergesTXT []byte, f Frame) (*Tokenizer, error) {
	most := maxVocabulary + 1 // which newCLIPBPE refuses
	if vocabJSON == nil {
		most = f.BOS - 2*len(byteNames)
	}
	merges, err := readMerges(mergesTXT, most)
	if err != nil {
		return nil, err
	}
	var vocab map[string]int
	if vocabJSON == nil {
		vocab, err = vocabularyOf(merges, f)
	} else {
		vocab, err = readVocabulary(vocabJSON, f)
	}
	if err != nil {
		return nil, err
	}
	m, err := newCLIPBPE(f.Rows, vocab, merges)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{frame: f, rewrites: clipNormalizers(), model: m}
	for _, special := range []struct {
		name string
		id   int
	}{{clipStart, f.BOS}, {clipEnd, f.EOS}} {
		id, ok := vocab[special.name]
		if !ok || id != special.id {
			return nil, invalid("the token %s has the id %d in the vocabulary (in it: %t) and %d in the text encoder", special.name, id, ok, special.id)
		}
		t.added = append(t.added, added{ID: id, Content: special.name})
	}
	return t, nil
}

// readVocabulary reads vocab.json.
func readVocabulary(data []byte, f Frame) (map[string]int, error) {
	l := newLexer(data)
	vocab := l.vocabulary(f)
	if l.err == nil && (l.peek() != 0 || l.at < len(l.text)) {
		l.bad("the end")
	}
	return vocab, l.err
}

// readMerges reads merges.txt up to a number of them: after a line with the version, two
// names a line.
func readMerges(data []byte, most int) (list []mergeNames, err error) {
	list = make([]mergeNames, 0, max(0, min(most, len(data)/8)))
	text := string(data)
	for number := 1; text != "" && len(list) < most; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if number == 1 && strings.Contains(line, mergesVersion) {
			continue
		}
		left, right, _ := strings.Cut(strings.TrimSuffix(line, "\r"), " ")
		if left == "" || right == "" || strings.ContainsAny(right, " \t\r") {
			parts := strings.Fields(line)
			if len(parts) == 0 {
				continue
			}
			if len(parts) != 2 {
				return nil, invalid("line %d of the merges has %d names, not two: %.40q", number, len(parts), line)
			}
			left, right = parts[0], parts[1]
		}
		list = append(list, mergeNames{left, right})
	}
	return list, nil
}

// mergesVersion is in the first line of a file of merges.
const mergesVersion = "#version"

// vocabularyOf numbers what all the merges make.
func vocabularyOf(merges []mergeNames, f Frame) (map[string]int, error) {
	if 2*len(byteNames)+len(merges) != f.BOS || f.EOS != f.BOS+1 {
		return nil, invalid("%d merges make no vocabulary that ends with the ids %d and %d", len(merges), f.BOS, f.EOS)
	}
	vocab := make(map[string]int, f.EOS+1)
	next := 0
	add := func(name string) { vocab[name] = next; next++ }
	for _, end := range []string{"", wordEnd} {
		for _, visible := range []bool{true, false} {
			for b, r := range byteNames {
				if byteVisible(b) == visible {
					add(string(r) + end)
				}
			}
		}
	}
	length := 0
	for _, p := range merges {
		length += len(p[0]) + len(p[1])
	}
	var names strings.Builder // one piece of memory for all
	names.Grow(length)
	for _, p := range merges {
		names.WriteString(p[0])
		names.WriteString(p[1])
		add(names.String()[names.Len()-len(p[0])-len(p[1]):])
	}
	add(clipStart)
	add(clipEnd)
	return vocab, nil
}
