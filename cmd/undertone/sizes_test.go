package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/testing/scale"
	"undertone/engine/weights"
)

// hollowed is a file of a header and zeros.
type hollowed struct {
	head []byte
	size int64
}

func (h hollowed) Size() int64 { return h.size }

func (h hollowed) ReadAt(b []byte, off int64) (int, error) {
	n := int(min(int64(len(b)), max(0, h.size-off)))
	clear(b[:n])
	if off < int64(len(h.head)) {
		copy(b[:n], h.head[off:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// headed is a network of another type: its matrices in that, in GGUF the rest as F16 and
// F32, else as it is.
func headed(t *testing.T, f *scale.File, name string) op.Source {
	t.Helper()
	x, err := weights.Survey(f)
	if err != nil {
		t.Fatal(err)
	}
	type form struct {
		dt   op.DType
		ggml uint32
	}
	forms := map[string]form{"Q4_0": {op.Q4_0, 2}, "Q5_0": {op.Q5_0, 6}, "Q8_0": {op.Q8_0, 8}, "Q2_K": {op.Q2_K, 10}, "Q3_K": {op.Q3_K, 11}, "Q4_K": {op.Q4_K, 12}, "Q5_K": {op.Q5_K, 13}, "Q6_K": {op.Q6_K, 14}}
	if name == "BF16" {
		return f
	}
	if name == "fp8" {
		header, at := map[string]any{}, int64(0)
		for _, w := range x.Tensors {
			kind, n := "F8_E4M3", w.Elems()
			if len(w.Shape) != 2 {
				kind, n = "BF16", 2*n
			}
			header[w.Name] = map[string]any{"dtype": kind, "shape": w.Shape, "data_offsets": []int64{at, at + n}}
			at += n
		}
		text := jsonOf(t, header)
		head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
		return hollowed{head, int64(len(head)) + at}
	}
	quantized, ok := forms[name]
	if !ok {
		t.Fatalf("what is %s?", name)
	}
	head, at := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3), int64(0)
	head = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(head, uint64(len(x.Tensors))), 0)
	for _, w := range x.Tensors {
		as := quantized
		if elems, _ := as.dt.Block(); len(w.Shape) != 2 || w.Shape[1]%elems != 0 {
			as = form{op.F16, 1}
		}
		if len(w.Shape) == 1 {
			as = form{op.F32, 0}
		}
		head = append(binary.LittleEndian.AppendUint64(head, uint64(len(w.Name))), w.Name...)
		head = binary.LittleEndian.AppendUint32(head, uint32(len(w.Shape)))
		for _, d := range slices.Backward(w.Shape) {
			head = binary.LittleEndian.AppendUint64(head, uint64(d))
		}
		head = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(head, as.ggml), uint64(at))
		elems, size := as.dt.Block()
		at += op.CeilDiv(w.Elems()/int64(elems)*int64(size), 32) * 32
	}
	for len(head)%32 != 0 {
		head = append(head, 0)
	}
	return hollowed{head, int64(len(head)) + at}
}

// The sizes that docs/models.md tells are those of the estimate (inspect --plan).
func TestSizesInTheDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/models.md")
	if err != nil {
		t.Fatal(err)
	}
	decoder, l, g := scale.KL(128, 256, 512, 512), scale.CLIPL(op.BF16, 12), scale.CLIPG(op.BF16, 32)
	// Of each model first what is of the row's type, then what is as published.
	models := map[string][2]scale.Model{
		"FLUX.1":               {{scale.Flux(op.BF16, 19, 38, true), scale.T5(op.BF16)}, {l, decoder}},
		"SD 3.5 large":         {{scale.SD35("sd3.5_large", op.BF16, 38, 38, 0, 192)}, {l, g, decoder}},
		"HiDream-I1":           {{scale.HiDream(op.BF16, 16, 32), scale.T5(op.BF16), scale.Llama(op.BF16)}, {scale.ProjectedL(op.BF16), g, decoder}},
		"Cosmos-Predict2 2B":   {{scale.Cosmos(op.BF16, 28, 16, 128), scale.FirstT5(op.BF16)}, {scale.Wan()}},
		"Cosmos-Predict2 0.6B": {{scale.Cosmos(op.BF16, 20, 20, 64), scale.FirstT5(op.BF16)}, {scale.Wan()}},
		"SD 3.5 medium":        {{scale.SD35("sd3.5_medium", op.BF16, 24, 24, 13, 384)}, {l, g, decoder}},
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name, smaller := strings.CutSuffix(cells[0], " at 512")
		side := 1024
		if smaller {
			side = 512
		}
		model, ok := models[name]
		if len(cells) != 6 || !ok {
			continue
		}
		rows++
		var given []checkpoint.File
		for i, some := range model {
			files, err := some.Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				x := checkpoint.File{Name: f.Name, Source: f}
				if i == 0 {
					x.Source = headed(t, f, cells[1])
				}
				given = append(given, x)
			}
		}
		found, err := checkpoint.Identify(given)
		if err != nil {
			t.Fatal(err)
		}
		m, err := engine.Offer(found)
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.EstimateModel(m, engine.Request{Steps: m.Defaults.Steps, Size: recipe.Square(side), CFG: m.Defaults.CFG}, op.PortableLimits())
		if err != nil {
			t.Fatal(err)
		}
		gib := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<30)) }
		want := []string{"–", "–", gib(e.PeakBytes), gib(e.LeastBytes)}
		for _, p := range e.Parts {
			switch p.Name {
			case "dit":
				want[0] = gib(p.DiskBytes)
			case "t5":
				want[1] = gib(p.DiskBytes)
			}
		}
		if got := strings.Join(cells[2:], " | "); got != strings.Join(want, " | ") {
			t.Errorf("%s, %s: the estimate is | %s |, the document says | %s |", cells[0], cells[1], strings.Join(want, " | "), got)
		}
	}
	if rows < 10 {
		t.Errorf("the document has %d rows of sizes", rows)
	}
}
