// Package text turns a prompt into what a diffusion transformer reads: token ids
// (Tokenizer), then token states and, of CLIP, one pooled vector (CLIP, T5, Llama).
//
// # Tokenizers
//
// Four kinds are read, and of each the ids are those of the library that the field
// uses it with:
//
//   - words: the shipped model's, where a word is a token (tokenizer.json with a
//     WordLevel model; Hugging Face's tokenizers)
//   - CLIP's byte-level BPE (transformers' CLIPTokenizer): tokenizer.json, or
//     vocab.json with merges.txt, or the merges alone, as OpenCLIP publishes them
//   - Llama 3's byte-level BPE (transformers' PreTrainedTokenizerFast): tokenizer.json
//   - T5's unigram model: tokenizer.json (transformers' T5Tokenizer), or the file of
//     sentencepiece itself, which differs in rare strings
//
// ReadTokenizer tells the files apart by what is in them. They are foreign bytes: all
// that they claim is checked when they are read.
//
// github.com/sugarme/tokenizer splits text here, and no more. Each of its packages of
// models imports net/http with all of crypto, which takes the compressed program from
// 1.37 MB to 1.72; its pattern for Whitespace knows ASCII only, and its NFKC leaves text
// decomposed. So the models, the patterns and the normal forms are this package's own.
package text
