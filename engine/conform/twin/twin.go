package twin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/op"
	"undertone/engine/weights"
)

const (
	// Ending is that of a file of names, behind the prefix of a network's files.
	Ending = ".diffusers.json"
	// Whole is the ending of a file that has the tensors themselves.
	Whole = ".diffusers.safetensors"
)

// maxNames bounds a file of names in bytes; those of the reference files have up to 7,000.
const maxNames = 16 << 20

// Read is the safetensors file that a file of names stands for.
func Read(name string) ([]byte, error) {
	var of struct {
		Of      string
		Tensors map[string]string
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNames))
	if err == nil {
		err = json.Unmarshal(text, &of)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if of.Of != filepath.Base(of.Of) {
		return nil, fmt.Errorf("%s: %q is not the name of a file beside it", name, of.Of)
	}
	src, err := weights.OpenFile(filepath.Join(filepath.Dir(name), of.Of))
	if err != nil {
		return nil, err
	}
	defer src.Close()
	index, err := weights.Parse(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of.Of, err)
	}
	var all []weights.Output
	for own, told := range of.Tensors {
		t, err := tensor(src, index, told)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, own, err)
		}
		t.Name = own
		all = append(all, t)
	}
	var out bytes.Buffer
	err = weights.WriteSafetensors(&out, nil, all...)
	return out.Bytes(), err
}

var rows = regexp.MustCompile(`^(.+)\[(\d{1,9}):(\d{1,9})\]$`)

// tensor is a tensor, or runs of rows of tensors that are as wide.
func tensor(src op.Source, index *weights.Index, told string) (out weights.Output, err error) {
	var data []byte
	for _, part := range strings.Split(told, "+") {
		name, from, to := part, 0, -1
		if m := rows.FindStringSubmatch(part); m != nil {
			name = m[1]
			from, _ = strconv.Atoi(m[2])
			to, _ = strconv.Atoi(m[3])
		}
		t, ok := index.Lookup(name)
		if !ok || len(t.Shape) == 0 {
			return out, fmt.Errorf("there is no tensor %q", name)
		}
		if to < 0 {
			to = t.Shape[0]
		}
		if from >= to || to > t.Shape[0] {
			return out, fmt.Errorf("%q has %d rows", name, t.Shape[0])
		}
		if out.Shape == nil {
			out.DType, out.Shape = t.DType, append([]int{0}, t.Shape[1:]...)
		}
		if t.DType != out.DType || !slices.Equal(t.Shape[1:], out.Shape[1:]) {
			return out, fmt.Errorf("%q is of another type or width than what it follows", name)
		}
		row := t.Bytes / int64(t.Shape[0])
		run := make([]byte, int64(to-from)*row)
		if _, err := src.ReadAt(run, t.Offset+int64(from)*row); err != nil {
			return out, err
		}
		data, out.Shape[0] = append(data, run...), out.Shape[0]+to-from
	}
	out.Write = func(w io.Writer) error { _, err := w.Write(data); return err }
	return out, nil
}

// Of is the file of a network, named by the prefix of its files, under diffusers' names: as it
// lies there, or as its names tell it. Without either the error is that of a missing file.
func Of(prefix string) ([]byte, error) {
	if data, err := os.ReadFile(prefix + Whole); err == nil {
		return data, nil
	}
	return Read(prefix + Ending)
}
