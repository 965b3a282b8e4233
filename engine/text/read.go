package text

import "bytes"

// ReadTokenizer reads the files of a published tokenizer, in any order, and tells by
// their content what they are:
//
//   - tokenizer.json of Hugging Face: WordLevel, the BPE of CLIP or Llama 3, or T5's Unigram
//   - vocab.json and merges.txt of CLIP
//   - the merges of CLIP alone, as OpenCLIP publishes them (decompressed)
//   - the .model of sentencepiece, with a unigram model
//
// The embedding table of the text encoder must have a row for every id of the file.
// What is anything else, or asks for what is not supported, is refused with
// fault.TokenizerInvalid.
func ReadTokenizer(f Frame, files ...[]byte) (*Tokenizer, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var vocab, merges []byte
	for _, data := range files {
		switch {
		case isObject(data):
			if isVocabulary(data) && len(files) == 2 {
				vocab = data
				continue
			}
			if len(files) > 1 {
				return nil, invalid("tokenizer.json is whole, %d files are one too many", len(files))
			}
			return newTokenizerJSON(data, f)
		case bytes.Contains(data[:min(len(data), 100)], []byte(mergesVersion)):
			merges = data
		case len(files) == 1 && len(data) > 0 && data[0] == spPieces<<3|2:
			return newSentencePiece(data, f)
		default:
			return nil, invalid("the file that begins with %.20q is no tokenizer.json, no vocab.json, no merges of CLIP and no unigram model of sentencepiece", data[:min(len(data), 20)])
		}
	}
	if merges == nil || len(files) > 2 || len(files) == 2 && vocab == nil {
		return nil, invalid("%d files make no tokenizer; vocab.json belongs to merges.txt", len(files))
	}
	return newCLIP(vocab, merges, f)
}

// isVocabulary reports whether an object begins as vocab.json does: with an id. Of a
// tokenizer.json no value is a number.
func isVocabulary(data []byte) bool {
	l := &lexer{text: string(data[:min(len(data), 2*maxPiece)])}
	l.expect('{')
	l.str()
	l.expect(':')
	c := l.peek()
	return l.err == nil && (c == '-' || c >= '0' && c <= '9')
}

// isObject reports whether a file begins as a JSON object does.
func isObject(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 100)], " \t\r\n"), []byte("{"))
}

// Frame is what it asks of its tokenizer.
func (c Config) Frame() Frame {
	return Frame{Rows: c.VocabSize, Length: c.MaxLength, BOS: c.BOS, EOS: c.EOS, PAD: c.PAD}
}

// Frame is what it asks of its tokenizer: T5 knows no token before the text.
func (c T5Config) Frame() Frame {
	return Frame{Rows: c.VocabSize, Length: c.MaxLength, BOS: -1, EOS: c.EOS, PAD: c.PAD}
}
