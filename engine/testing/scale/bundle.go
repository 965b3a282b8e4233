package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// CLIPVocabulary is a vocab.json of CLIP with one merge, "f r", and these ids for the marks
// of a text's ends.
func CLIPVocabulary(start, end int) map[string]int {
	vocab, next := map[string]int{}, rune(256)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD) {
			r, next = next, next+1
		}
		vocab[string(r)], vocab[string(r)+"</w>"] = b, 256+b
	}
	vocab["fr"], vocab["<|startoftext|>"], vocab["<|endoftext|>"] = 512, start, end
	return vocab
}

// CLIPMerges is the merges.txt beside it.
const CLIPMerges = "#version: 0.2\nf r\n"

// T5Tokenizer is a tokenizer.json of T5 with nine pieces.
func T5Tokenizer() map[string]any {
	pieces := [][2]any{{"<pad>", 0}, {"</s>", 0}, {"<unk>", 0}, {"▁", -2}, {"▁a", -2}, {"▁fr", -3}, {"og", -3}, {"o", -4}, {"g", -4}}
	return map[string]any{
		"added_tokens": []any{}, "pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
		"model": map[string]any{"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": false},
	}
}

// Words are the files of tokenizers that go with the text encoders here: a few pieces,
// and CLIP's marks of a text at its ends.
func Words() ([]checkpoint.File, error) {
	clip, err := json.Marshal(CLIPVocabulary(49406, 49407))
	if err != nil {
		return nil, err
	}
	t5, err := json.Marshal(T5Tokenizer())
	if err != nil {
		return nil, err
	}
	return []checkpoint.File{
		{Name: "tokenizer/vocab.json", Source: bytes.NewReader(clip)}, {Name: "tokenizer/merges.txt", Source: strings.NewReader(CLIPMerges)},
		{Name: "tokenizer_t5/tokenizer.json", Source: bytes.NewReader(t5)},
	}, nil
}

// Bundle is a model with a model.json: its files by their paths.
type Bundle struct {
	Manifest weights.Manifest
	Files    map[string]op.Source
}

// Describe makes a bundle of files whose tensors have the names that the engine's loaders
// ask for, under which a bundle's files have them, with the tokenizers of Words. It hashes
// every byte.
func Describe(ctx context.Context, files []*File) (*Bundle, error) {
	given, err := Words()
	if err != nil {
		return nil, err
	}
	byName := map[string]*File{}
	for _, f := range files {
		byName[f.Name] = f
		given = append(given, checkpoint.File{Name: f.Name, Source: f})
	}
	found, err := checkpoint.Identify(given)
	if err != nil {
		return nil, err
	}
	opened, err := engine.Open(found)
	if err != nil {
		return nil, err
	}
	b := &Bundle{opened.Manifest, map[string]op.Source{}}
	published := map[string]*File{}
	for _, p := range found.Parts {
		published[p.File] = byName[p.Files[0]]
	}
	for i, f := range b.Manifest.Files {
		var src op.Source = published[f.Name]
		path := f.Path
		if published[f.Name] == nil { // of a tokenizer
			if src, _, err = opened.OpenFile(ctx, f.Name); err != nil {
				return nil, err
			}
		} else {
			path = published[f.Name].Name
		}
		described, err := weights.Describe(f.Role, path, io.NewSectionReader(src, 0, src.Size()))
		if err != nil {
			return nil, err
		}
		described.Name = f.Name
		b.Manifest.Files[i], b.Files[path] = described, src
	}
	return b, nil
}
