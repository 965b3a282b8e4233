package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// parseAny checks what holds for every input: no panic, a fault for every
// refusal, little memory, and an index that describes the file.
func parseAny(t *testing.T, file []byte) {
	var x *Index
	var err error
	src := bytes.NewReader(file)
	used := allocated(func() { x, err = Survey(src) })
	if limit := uint64(2*len(file) + 1<<20); used > limit {
		t.Errorf("allocated %d bytes for a file of %d", used, len(file))
	}
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) || f.Code == fault.Internal {
			t.Errorf("no fault: %v", err)
		}
		return
	}
	var owned int64
	for i, ts := range x.Tensors {
		if i > 0 && x.Tensors[i-1].Name >= ts.Name {
			t.Fatalf("%q comes after %q", ts.Name, x.Tensors[i-1].Name)
		}
		if got, ok := x.Lookup(ts.Name); !ok || got.Offset != ts.Offset {
			t.Fatalf("%q was not found", ts.Name)
		}
		switch {
		case ts.Bytes == 0:
		case ts.Bytes == UnknownBytes && ts.DType >= Unknown:
			owned++
		case ts.Offset < 8 || ts.Bytes < 0 || ts.Offset+ts.Bytes > int64(len(file)):
			t.Fatalf("%+v in a file of %d bytes", ts, len(file))
		default:
			owned += ts.Bytes
		}
		if ts.Readable() == nil {
			v, err := ReadFloat32(src, ts)
			if err != nil || int64(len(v)) != ts.Elems() || ts.Elems() == 0 {
				t.Fatalf("%q cannot be read: %v", ts.Name, err)
			}
		}
	}
	if all := owned + x.Gaps + x.Tail; owned < 0 || x.Gaps < 0 || x.Tail < 0 || all > int64(len(file)) {
		t.Fatalf("tensors %d, gaps %d and tail %d in %d bytes", owned, x.Gaps, x.Tail, len(file))
	}
	for i, p := range x.Meta {
		if v, ok := x.Value(p.Key); !ok || i > 0 && x.Meta[i-1].Key >= p.Key {
			t.Fatalf("metadata %q: %v", p.Key, v)
		}
	}
	if _, err := Parse(src); (err == nil) != (x.Gaps == 0 && x.Tail == 0) {
		t.Fatalf("gaps %d, tail %d, and a model's file: %v", x.Gaps, x.Tail, err)
	}
}

func FuzzGGUF(f *testing.F) {
	for _, l := range legal {
		if bytes.HasPrefix(l.file, []byte(ggufMagic)) {
			f.Add(l.file)
		}
	}
	for _, h := range hostile {
		if bytes.HasPrefix(h.file, []byte(ggufMagic)) {
			f.Add(h.file)
		}
	}
	var file bytes.Buffer
	err := WriteGGUF(&file, map[string]any{"general.alignment": uint32(32), "a": []string{"b", "c"}, "d": []float32{1}},
		Float32s("x", op.Q8_0, []int{2, 32}, drawn(1, 64)), Float32s("y", op.F16, []int{3}, drawn(2, 3)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		copy(file, ggufMagic) // the other format has its own target
		parseAny(t, file)
	})
}

func FuzzSafetensors(f *testing.F) {
	for _, l := range legal {
		if !bytes.HasPrefix(l.file, []byte(ggufMagic)) && len(l.file) < 1<<16 {
			f.Add(string(l.file[8:]), 8)
		}
	}
	for _, h := range hostile {
		if len(h.file) > 8 && !bytes.HasPrefix(h.file, []byte(ggufMagic)) {
			f.Add(string(h.file[8:]), 8)
		}
	}
	f.Add(`{"__metadata__":{"k":"v"},"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}  `, 8)
	f.Fuzz(func(t *testing.T, header string, n int) {
		if n < 0 || n > 1<<16 {
			return
		}
		parseAny(t, safe(header, n))
	})
}

func FuzzManifest(f *testing.F) {
	good := tinyModel(f)["model.json"]
	f.Add(good)
	f.Add(version1(f, tinyModel(f)))
	for _, version := range []string{"1", "2", "3"} {
		f.Add([]byte(`{"format":"undertone-model","version":` + version + `}`))
	}
	for _, c := range append(hostile2, hostileBoth...) {
		f.Add([]byte(strings.Replace(string(good), c.old, c.new, 1)))
	}
	for _, c := range hostile1 {
		f.Add([]byte(strings.Replace(string(version1(f, tinyModel(f))), c.old, c.new, 1)))
	}
	f.Add([]byte(`{"a":[[[[1e9,-0.5,true,"\ud83d\ude00"]]]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m *Manifest
		var err error
		used := allocated(func() { m, err = ParseManifest(text) })
		if limit := uint64(2*len(text) + 1<<20); used > limit {
			t.Errorf("allocated %d bytes for a manifest of %d", used, len(text))
		}
		if err != nil {
			if !fault.Is(err, fault.ManifestInvalid) && !fault.Is(err, fault.ModelUnsupported) {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(again); err != nil {
			t.Errorf("accepted, but not when written anew: %v", err)
		}
	})
}
