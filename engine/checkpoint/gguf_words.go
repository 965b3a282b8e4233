package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"undertone/engine/weights"
)

// ggufWords reports whether a GGUF file has the words of a text encoder of a kind, as
// llama.cpp writes them: T5's unigram model, or the merges of Llama 3.
func ggufWords(x *weights.Index, kind string) bool {
	_, ok := value[[]string](x, "tokenizer.ggml.tokens")
	model, _ := value[string](x, "tokenizer.ggml.model")
	split, _ := value[string](x, "tokenizer.ggml.pre")
	return ok && (model == "t5" && kind == "t5" || model == "gpt2" && split == "llama-bpe" && kind == "llama")
}

func value[T any](x *weights.Index, key string) (T, bool) {
	v, _ := x.Value(key)
	t, ok := v.(T)
	return t, ok
}

// ggufPieces writes the words of a GGUF file as the ModelProto of sentencepiece, where
// they came from: ggml numbers the types of pieces as sentencepiece does
// (sentencepiece_model.proto; llama.cpp's gguf-py/gguf/constants.py).
func ggufPieces(x *weights.Index) (out []byte) {
	const (
		pieces, trainer, normalizer = 1, 2, 3 // of ModelProto
		text, score, kind           = 1, 2, 3 // of a piece
		modelType, unigram          = 3, 1    // of the trainer
		charsmap, prefix, fewer     = 2, 3, 4 // of the normalizer
		normal                      = 1
	)
	tokens, _ := value[[]string](x, "tokenizer.ggml.tokens")
	scores, _ := value[[]float32](x, "tokenizer.ggml.scores")
	kinds, _ := value[[]int32](x, "tokenizer.ggml.token_type")
	for i, token := range tokens {
		piece := protoBytes(nil, text, []byte(token))
		if i < len(scores) {
			piece = binary.AppendUvarint(piece, score<<3|5)
			piece = binary.LittleEndian.AppendUint32(piece, math.Float32bits(scores[i]))
		}
		k := uint64(normal)
		if i < len(kinds) {
			k = uint64(max(0, kinds[i]))
		}
		out = protoBytes(out, pieces, protoNumber(piece, kind, k))
	}
	out = protoBytes(out, trainer, protoNumber(nil, modelType, unigram))
	var spec []byte
	switch table, _ := x.Value("tokenizer.ggml.precompiled_charsmap"); table := table.(type) {
	case []uint8:
		spec = protoBytes(spec, charsmap, table)
	case []int8:
		raw := make([]byte, len(table))
		for i, b := range table {
			raw[i] = byte(b)
		}
		spec = protoBytes(spec, charsmap, raw)
	}
	for key, number := range map[string]int{"add_space_prefix": prefix, "remove_extra_whitespaces": fewer} {
		if on, ok := value[bool](x, "tokenizer.ggml."+key); ok {
			n := uint64(0)
			if on {
				n = 1
			}
			spec = protoNumber(spec, number, n)
		}
	}
	return protoBytes(out, normalizer, spec)
}

// llamaPattern is how Llama 3 splits, as its tokenizer.json has it. The readers of words
// know it by this text.
const llamaPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// ggufMerges writes the words and merges of a GGUF file as the tokenizer.json of Llama 3,
// where they came from.
func ggufMerges(x *weights.Index) []byte {
	const control = 3 // among ggml's types of pieces
	type added struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Special bool   `json:"special"`
	}
	tokens, _ := value[[]string](x, "tokenizer.ggml.tokens")
	kinds, _ := value[[]int32](x, "tokenizer.ggml.token_type")
	merges, _ := value[[]string](x, "tokenizer.ggml.merges")
	vocab, special := map[string]int{}, []added{}
	for id, token := range tokens {
		if id < len(kinds) && kinds[id] == control {
			special = append(special, added{id, token, true})
		} else {
			vocab[token] = id
		}
	}
	type object = map[string]any
	file, err := json.Marshal(object{
		"added_tokens": special,
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []object{
			{"type": "Split", "pattern": object{"Regex": llamaPattern}, "behavior": "Isolated", "invert": false},
			{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
		}},
		"model": object{"type": "BPE", "ignore_merges": true, "vocab": vocab, "merges": merges},
	})
	if err != nil {
		panic(err) // of nothing but texts and numbers
	}
	return file
}

// protoBytes appends a field of a protocol buffer that is text or a message.
func protoBytes(to []byte, number int, content []byte) []byte {
	to = binary.AppendUvarint(to, uint64(number)<<3|2)
	return append(binary.AppendUvarint(to, uint64(len(content))), content...)
}

// protoNumber appends a field that is a number.
func protoNumber(to []byte, number int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(to, uint64(number)<<3), v)
}
