package checkpoint

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Names of a tokenizer's files as they are published.
const (
	nameVocab  = "vocab.json"
	nameMerges = "merges.txt"
	namePieces = "spiece.model"
)

// openCLIP begins the name of OpenCLIP's file of merges, bpe_simple_vocab_16e6.txt.gz, from
// which the vocabulary follows.
const openCLIP = "bpe_simple_vocab"

// isMerges reports whether a file is the merges of a CLIP by its name.
func isMerges(base string) bool {
	name := strings.TrimSuffix(base, ".gz")
	return name == nameMerges || strings.HasPrefix(name, openCLIP) && path.Ext(name) == ".txt"
}

// Unzipped is a small file's content, decompressed where it is gzip (TokenizerInvalid
// where that is damaged or has more than maxTokenizer bytes).
func Unzipped(f File) (op.Source, error) {
	head := make([]byte, 2)
	if n, err := f.Source.ReadAt(head, 0); n < 2 && err != nil && err != io.EOF {
		return nil, fault.Wrap(err, fault.Fetch, "%s cannot be read", shown(f.Name))
	}
	if head[0] != 0x1f || head[1] != 0x8b {
		return f.Source, nil
	}
	var text []byte
	z, err := gzip.NewReader(io.NewSectionReader(f.Source, 0, f.Source.Size()))
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(z, maxTokenizer+1))
	}
	switch {
	case err != nil:
		return nil, fault.Wrap(err, fault.TokenizerInvalid, "%s cannot be decompressed", shown(f.Name))
	case len(text) > maxTokenizer:
		return nil, fault.New(fault.TokenizerInvalid, "%s has over %d bytes decompressed, the limit for a tokenizer", shown(f.Name), maxTokenizer)
	}
	return bytes.NewReader(text), nil
}

// tokenizer finds the files of the tokenizer of a family's encoder number i: those in the
// folder that goes with the encoder's (in a diffusers folder tokenizer_2 with
// text_encoder_2), or the first of its kind that lie elsewhere.
func (f *Found) tokenizer(g *given, c *candidate, i int) {
	folders := []string{path.Join(path.Dir(c.unit.folder), strings.Replace(path.Base(c.unit.folder), "text_encoder", "tokenizer", 1))}
	for _, w := range g.words {
		folders = append(folders, path.Dir(w.Name))
	}
	for _, folder := range folders {
		files := g.wordsIn(folder, c.Kind)
		if len(files) == 0 {
			continue
		}
		for _, w := range files {
			f.Tokenizers[c.Name], f.words[w.Name] = append(f.Tokenizers[c.Name], w.Name), w.Source
		}
		return
	}
	if file := c.unit.files[0]; ggufWords(file.index, c.Kind) {
		write := map[string]func(*weights.Index) []byte{"t5": ggufPieces, "llama": ggufMerges}[c.Kind]
		f.Tokenizers[c.Name] = []string{file.name}
		f.words[file.name] = bytes.NewReader(write(file.index))
		return
	}
	what := Missing{What: "the tokenizer of the text encoder CLIP-L", File: nameVocab + " and " + nameMerges + ", or " + nameTokenizer + ","}
	switch c.Name {
	case clipG:
		what.What = "the tokenizer of the text encoder CLIP-G"
	case t5:
		what.What, what.File = "the tokenizer of the text encoder T5", namePieces+" or "+nameTokenizer
	case llama:
		what.What, what.File = "the tokenizer of the text encoder Llama", nameTokenizer
	}
	at := "tokenizer"
	if i > 0 {
		at = fmt.Sprintf("tokenizer_%d", i+1)
	}
	what.Where = at + "/ of the model's diffusers folder (a single weight file has no words in it)"
	f.miss("tokenizer", c.Name, what, false)
}

// wordsIn lists the files of a folder that make a tokenizer for a kind of encoder.
func (g *given) wordsIn(folder, kind string) []File {
	var merges, vocab, pieces []File
	for _, w := range g.words {
		if path.Dir(w.Name) != folder {
			continue
		}
		switch base := path.Base(w.Name); {
		case base == nameTokenizer && g.kindOf(w.Name) == kind:
			return []File{w}
		case base == nameVocab:
			vocab = append(vocab, w)
		case isMerges(base):
			merges = append(merges, w)
		case path.Ext(base) == ".model":
			pieces = append(pieces, w)
		}
	}
	switch {
	case kind == "t5":
		return pieces[:min(1, len(pieces))]
	case len(merges) == 0 || kind == "llama":
		return nil
	}
	// The vocabulary follows from the merges. Where both names are there, merges.txt is
	// the last, and only vocab.json beside that has ids of its own.
	merges = merges[len(merges)-1:]
	if path.Base(merges[0].Name) != nameMerges {
		return merges
	}
	return slices.Concat(vocab[:min(1, len(vocab))], merges)
}

// kindOf is the kind of text encoder that a tokenizer.json is for: words end with a sign
// in CLIP's BPE and without one in Llama's.
func (g *given) kindOf(name string) string {
	model, err := parseObject(name, g.tokenizers[name]["model"])
	if err != nil {
		return ""
	}
	kind, _, err := get[string](model, name, "type")
	end, _, errEnd := get[string](model, name, "end_of_word_suffix")
	switch {
	case err != nil || errEnd != nil:
		return ""
	case kind == "Unigram":
		return "t5"
	case kind == "BPE" && end == "":
		return "llama"
	case kind == "BPE":
		return "clip"
	}
	return ""
}

// Words are the files of a text encoder's tokenizer, as text.ReadTokenizer reads them
// (PartMissing where there are none). Their names are the published ones, without a
// folder; two text encoders that share a file have the same Source of it.
func (f *Found) Words(encoder string) (files []File, err error) {
	for _, name := range f.Tokenizers[encoder] {
		base := path.Base(name)
		switch path.Ext(base) {
		case ".gguf":
			if base = namePieces; encoder == llama {
				base = nameTokenizer
			}
		case ".model":
			base = namePieces
		case ".txt", ".gz":
			base = nameMerges
		}
		files = append(files, File{base, f.words[name]})
	}
	if len(files) == 0 {
		return nil, fault.New(fault.PartMissing, "the text encoder %.64q has no tokenizer", encoder)
	}
	return files, nil
}

// Complete refuses what makes no picture, naming every part that is missing and where
// people usually have it (PartMissing). Tokenizers count where words are to be read.
func (f *Found) Complete(tokenizers bool) error {
	var missing []string
	for _, m := range f.Missing {
		if !m.Optional && (tokenizers || m.Role != "tokenizer") {
			missing = append(missing, fmt.Sprintf("%s, usually %s in %s", m.What, m.File, m.Where))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.PartMissing, "there is no whole model: missing %s", strings.Join(missing, "; missing "))
}
