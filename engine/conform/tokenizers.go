package conform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"undertone/engine/checkpoint"
	"undertone/engine/fault"
	"undertone/engine/text"
)

// maxVocabulary bounds a file of a tokenizer in bytes; decompressed, checkpoint does.
const maxVocabulary = 64 << 20

// What is put around the ids of the published text encoders, and how many rows their
// tables have.
var (
	clipFrame = text.Frame{Rows: 49408, Length: 77, BOS: 49406, EOS: 49407, PAD: 49407}
	t5Frame   = text.Frame{Rows: 32128, BOS: -1, EOS: 1, PAD: 0}
)

// tokenCase is a text and its ids, with BOS and EOS and without padding. What other
// implementations make of the same text is not compared.
type tokenCase struct {
	Text      string   `json:"text"`
	IDs       []int    `json:"ids"`
	Length    *int     `json:"length"`
	Truncated bool     `json:"truncated"`
	Pieces    []string `json:"pieces"` // of sentencepiece, before they are cut to the length
	HF        []int    `json:"hf_ids"`
	OpenCLIP  []int    `json:"open_clip_ids"`
}

// tokenizer compares token ids: CLIP's with a vocabulary that the options name, T5's
// with the model beside the description.
func (r *run) tokenizer() error {
	var cases []json.RawMessage
	if err := json.Unmarshal(r.desc.Cases, &cases); err != nil {
		return fmt.Errorf("its cases are not understood: %w", err)
	}
	t, err := r.openTokenizer()
	if err != nil {
		return err
	}
	for i, data := range cases {
		if r.ctx.Err() != nil {
			return nil // Run tells
		}
		var x tokenCase
		c := &check{run: r, name: strconv.Itoa(i), told: map[string]bool{}}
		if err := strict(data, &x); err != nil {
			r.fail(c.name, "", fmt.Errorf("not understood: %w", err))
			continue
		}
		x.check(c, t)
	}
	return nil
}

// openTokenizer reads the file that the description speaks of.
func (r *run) openTokenizer() (*text.Tokenizer, error) {
	if r.desc.Model == "" {
		if r.opt.Vocabulary == "" {
			return nil, fault.New(fault.RequestInvalid, "these are the ids of CLIP's own vocabulary, which must be given: --vocab FILE")
		}
		data, err := readVocabulary(r.opt.Vocabulary)
		if err != nil {
			return nil, err
		}
		return text.ReadTokenizer(clipFrame, data)
	}
	name, _, _ := strings.Cut(r.desc.Model, ":")
	if name != filepath.Base(name) || strings.ContainsAny(name, `/\`) {
		return nil, fmt.Errorf("its model %.80q is not the name of a file beside it", name)
	}
	data, err := readVocabulary(filepath.Join(r.folder, name))
	if err != nil {
		return nil, err
	}
	frame := t5Frame
	frame.Length = r.desc.MaxLength
	return text.ReadTokenizer(frame, data)
}

// readVocabulary reads a file, decompressed where it is gzip.
func readVocabulary(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxVocabulary+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxVocabulary {
		return nil, fault.New(fault.TokenizerInvalid, "%s has over %d bytes, the limit for a vocabulary", name, maxVocabulary)
	}
	src, err := checkpoint.Unzipped(checkpoint.File{Name: name, Source: bytes.NewReader(data)})
	if err != nil {
		return nil, err
	}
	data = make([]byte, src.Size())
	_, err = src.ReadAt(data, 0)
	return data, err
}

// check compares the ids, whether they were cut, and the pieces that sentencepiece made
// of the text.
func (x tokenCase) check(c *check, t *text.Tokenizer) {
	got := t.Tokenize(x.Text)
	var ids []int
	for _, id := range got.IDs[:got.Count] {
		ids = append(ids, int(id))
	}
	same := func(output string, err error) {
		if err != nil {
			c.wrong(output, err)
			return
		}
		c.within(output, 0, 0)
	}
	same("ids", equal("ids", ids, x.IDs))
	same("truncated", equal("truncated", []bool{got.Truncated}, []bool{x.Truncated}))
	if x.Length != nil {
		same("length", equal("length", []int{len(ids)}, []int{*x.Length}))
	}
	if x.Pieces != nil {
		same("pieces", equal("pieces", got.Words, x.Pieces[:min(len(x.Pieces), max(len(x.IDs)-1, 0))]))
	}
}
