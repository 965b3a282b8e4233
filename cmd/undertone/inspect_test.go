package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/weights"
)

// inspect lists whatever the formats allow, and says which of its refusals is damage,
// which is something it does not support, and which is a limit of its own.
func TestInspectListsAnyFile(t *testing.T) {
	folder := t.TempDir()
	gguf := func(meta map[string]any, outputs ...weights.Output) []byte {
		var b bytes.Buffer
		if err := weights.WriteGGUF(&b, meta, outputs...); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	// renamed makes another type of the only F32 tensor, whose name is xyz.
	renamed := func(kind uint32) []byte {
		file := gguf(nil, weights.Float32s("xyz", op.F32, []int{256}, make([]float32, 256)))
		at := bytes.Index(file, []byte("xyz")) + 3 + 4 + 8
		binary.LittleEndian.PutUint32(file[at:], kind)
		return file
	}
	long := strings.Repeat("m", 1<<20)
	for _, c := range []struct {
		name string
		file []byte
		code int
		says []string
	}{
		{"empty tensor", safetensors(`{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]},"b":{"dtype":"F16","shape":[],"data_offsets":[0,2]}}`, 2), 0,
			[]string{"a F32 2 × 0 0", "b F16 one value 2"}},
		{"F8 and C64", safetensors(`{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"C64","shape":[1],"data_offsets":[3,11]}}`, 11), 0,
			[]string{"a F8_E4M3 3 3", "b C64 1 8", "total of C64 1 tensors 1 elements 8"}},
		{"a new type", safetensors(`{"a":{"dtype":"F 9","shape":[3],"data_offsets":[0,5]}}`, 5), 0, []string{`a "F 9" 3 5`}},
		{"null metadata", safetensors(`{"__metadata__":{"a":null}}`, 0), 0, []string{"a = null"}},
		{"long metadata", safetensors(`{"__metadata__":{"a b":"`+long+`"}}`, 0), 0, []string{`"a b" = "` + long[:100] + `" … (1,048,576 characters)`}},
		{"gap and tail", safetensors(`{"b":{"dtype":"U8","shape":[1],"data_offsets":[7,8]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 19), 0,
			[]string{"a U8 2 2", "5 bytes between the tensors and 11 bytes behind them belong to none"}},
		{"GGUF Q6_K", renamed(14), 0, []string{"xyz Q6_K 256 210"}},
		{"GGUF NVFP4", renamed(40), 0, []string{"xyz NVFP4 256 144"}},
		{"GGUF type of tomorrow", renamed(77), 0, []string{`xyz "type 77" 256 unknown`, `total of "type 77" 1 tensors 256 elements unknown`}},
		{"GGUF shapes in metadata", gguf(map[string]any{"comfy.gguf.orig_shape.x": []int32{320, 4, 3, 3}}), 0, []string{"comfy.gguf.orig_shape.x = [320 4 3 3]"}},

		{"damage", safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), 1,
			[]string{"damaged: tensors overlap", "publish it again"}},
		{"version", append([]byte("GGUF\x09\x00\x00\x00"), make([]byte, 40)...), 1, []string{"not supported here: unsupported version", "a newer one may"}},
		{"limit", safetensors(`{`+strings.Repeat(`"":{},`, 50000)+`}`, 0), 1, []string{"over a limit of this program", "bytes of memory", "not damaged"}},
		{"a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), 1, []string{"not a weight file", "another kind of file"}},
	} {
		name := filepath.Join(folder, "x")
		if err := os.WriteFile(name, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := cli("inspect", name)
		out := strings.Join(strings.Fields(stdout+stderr), " ")
		for _, want := range c.says {
			if code != c.code || !strings.Contains(out, want) {
				t.Errorf("%s: code %d, %.400q lacks %q", c.name, code, out, want)
			}
		}
		if again := strings.Contains(out, "publish it again"); again != (c.name == "damage") {
			t.Errorf("%s: advice to publish again: %v\n%.400s", c.name, again, out)
		}
	}
}

// The reference files of the field's own libraries, where they are at hand.
func TestInspectForeignFiles(t *testing.T) {
	names, err := filepath.Glob("../../../shared/goldens/*.safetensors")
	if err != nil || len(names) == 0 {
		t.Skip("put reference files (docs/tool.md, “What conform compares”) in ../shared/goldens, beside the repository, to run this test")
	}
	for _, name := range names {
		if out := succeed(t, "inspect", name); !strings.Contains(out, "total of ") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{5: "5 bytes", 10 << 10: "10.0 KiB", 15 << 20: "15.0 MiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := abridged(make([]uint32, 1000)); got != "[0 0 0 0 0 0 0 0 … (1,000 values)" {
		t.Error(got)
	}
	if got := abridged(strings.Repeat("ä", 200)); !strings.HasPrefix(got, `"ää`) || !strings.Contains(got, "… (200 characters)") {
		t.Error(got)
	}
	if got := abridged([]string{"a\n"}) + " " + abridged(int8(-1)) + " " + abridged([]any{[]uint8{1}}) + " " + abridged(nil); got != `["a\n"] -1 [[1 values]] null` {
		t.Error(got)
	}
}

// --plan counts what a picture takes, of a model and of nothing else.
func TestInspectPlan(t *testing.T) {
	model := tinyModel(t)
	code, stdout, stderr := cli("inspect", "--plan", model)
	if code != 0 || !strings.Contains(stdout, "tiny: 32 × 32 pixels, 2 steps") || !regexp.MustCompile(`a step +0\.\d+ +\d+`).MatchString(stdout) {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := cli("inspect", "--plan", filepath.Join(model, "model.json")); code != 1 || !strings.Contains(stderr, "there is no weight file") {
		t.Errorf("a file: code %d, %s", code, stderr)
	}
}
