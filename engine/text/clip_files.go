package text

import (
	"bytes"
	"encoding/json"
	"strings"
)

// newCLIP makes CLIP's tokenizer of vocab.json and merges.txt. Where there is no
// vocabulary its order is that of the merges, as OpenCLIP has it: the bytes, the bytes
// at the end of a word, what the merges make, start and end; Frame.BOS says how many
// merges of the file count.
func newCLIP(vocabJSON, mergesTXT []byte, f Frame) (*Tokenizer, error) {
	merges, err := readMerges(mergesTXT)
	if err != nil {
		return nil, err
	}
	var vocab map[string]int
	if vocabJSON == nil {
		if vocab, merges, err = vocabularyOf(merges, f); err != nil {
			return nil, err
		}
	} else if err := json.Unmarshal(vocabJSON, &vocab); err != nil {
		return nil, invalid("vocab.json is not what it should be: %v", err)
	}
	if err := f.checkVocabulary(vocab); err != nil {
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

// readMerges reads merges.txt: after a line with the version, two names a line.
func readMerges(data []byte) (list []mergeNames, err error) {
	line := 0
	for text := range bytes.Lines(data) {
		line++
		parts := strings.Fields(string(text))
		switch {
		case line == 1 && bytes.Contains(text, []byte(mergesVersion)), len(parts) == 0:
		case len(parts) != 2:
			return nil, invalid("line %d of the merges has %d names, not two: %.40q", line, len(parts), text)
		case len(list) == maxVocabulary:
			return nil, invalid("more than %d merges", maxVocabulary)
		default:
			list = append(list, mergeNames{parts[0], parts[1]})
		}
	}
	return list, nil
}

// mergesVersion is in the first line of a file of merges.
const mergesVersion = "#version"

// vocabularyOf numbers what the merges make, and cuts them to those that count.
func vocabularyOf(merges []mergeNames, f Frame) (map[string]int, []mergeNames, error) {
	n := f.BOS - 2*len(byteNames)
	if n < 0 || n > len(merges) || f.EOS != f.BOS+1 {
		return nil, nil, invalid("%d merges make no vocabulary that ends with the ids %d and %d", len(merges), f.BOS, f.EOS)
	}
	merges = merges[:n]
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
	for _, p := range merges {
		add(p[0] + p[1])
	}
	add(clipStart)
	add(clipEnd)
	return vocab, merges, nil
}
