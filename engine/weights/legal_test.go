package weights

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// A listed tensor, as a test wants to see it.
type listed struct {
	name, kind string
	shape      string
	bytes      int64
}

// legal is what the two formats allow beyond what our own writers make, and what
// Survey lists of it.
var legal = []struct {
	name    string
	file    []byte
	tensors []listed
	meta    map[string]any
	gaps    int64
	tail    int64
}{
	{name: "nothing", file: safe("{}", 0)},
	{name: "an empty tensor", file: safe(`{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		tensors: []listed{{"a", "F32", "[2 0]", 0}, {"b", "F32", "[1]", 4}}},
	{name: "one value", file: safe(`{"a":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`, 8), tensors: []listed{{"a", "I64", "[]", 8}}},
	{name: "packed types", file: safe(`{"a":{"dtype":"F4","shape":[3,2],"data_offsets":[0,3]},"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}}`, 6),
		tensors: []listed{{"a", "F4", "[3 2]", 3}, {"b", "F6_E2M3", "[4]", 3}}},
	{name: "a type of tomorrow", file: safe(`{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,7]}}`, 7), tensors: []listed{{"a", "F31", "[2]", 7}}},
	{name: "nine dimensions", file: safe(`{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,3],"data_offsets":[0,3]}}`, 3),
		tensors: []listed{{"a", "U8", "[1 1 1 1 1 1 1 1 3]", 3}}},
	{name: "a name of 5,000 bytes, and none", file: safe(`{"`+strings.Repeat("n", 5000)+`":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2),
		tensors: []listed{{"", "U8", "[1]", 1}, {strings.Repeat("n", 5000), "U8", "[1]", 1}}},
	{name: "another order", file: safe(`{"b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]},"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}`, 8),
		tensors: []listed{{"a", "U8", "[5]", 5}, {"b", "U8", "[3]", 3}}},
	{name: "a gap and a tail", file: safe(`{"b":{"dtype":"U8","shape":[3],"data_offsets":[7,10]},"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}`, 14),
		tensors: []listed{{"a", "U8", "[5]", 5}, {"b", "U8", "[3]", 3}}, gaps: 2, tail: 4},
	{name: "metadata is null", file: safe(`{"__metadata__":null,"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`+"\n\t ", 1),
		tensors: []listed{{"a", "BOOL", "[1]", 1}}},
	{name: "metadata with null", file: safe(`{"__metadata__":{"a":null,"b":"","c":"\u00e9\ud83d\ude00\n"}}`, 0), meta: map[string]any{"a": nil, "b": "", "c": "é😀\n"}},
	{name: "long metadata", file: safe(`{"__metadata__":{"k":"`+strings.Repeat("x", 20<<20)+`"}}`, 0), meta: map[string]any{"k": strings.Repeat("x", 20<<20)}},

	{name: "GGUF, nothing", file: gguf(0, 0, 0)},
	{name: "GGUF, an empty tensor", file: gguf(2, 0, 4, info("a", 0, 0, 0, 2), info("b", 0, 0, 1)), tensors: []listed{{"a", "F32", "[2 0]", 0}, {"b", "F32", "[1]", 4}}},
	{name: "GGUF, one value", file: gguf(1, 0, 4, info("a", 0, 0)), tensors: []listed{{"a", "F32", "[]", 4}}},
	{name: "GGUF, another order, gap and tail", file: gguf(2, 0, 150, info("b", 24, 96, 3), info("a", 24, 0, 5)),
		tensors: []listed{{"a", "I8", "[5]", 5}, {"b", "I8", "[3]", 3}}, gaps: 64, tail: 150 - 99},
	{name: "GGUF, types of yesterday and tomorrow", file: gguf(3, 0, 100, info("a", 31, 0, 32), info("b", 99, 32, 7), info("c", 40, 64, 64)),
		tensors: []listed{{"a", "Q4_0_4_4", "[32]", -1}, {"b", "type 99", "[7]", -1}, {"c", "NVFP4", "[64]", 36}}},
	{name: "GGUF, not UTF-8", file: gguf(1, 1, 4, pair("k\xff", 8, str("\xc0\x80")), info("\xfe", 0, 0, 1)),
		tensors: []listed{{"\xfe", "F32", "[1]", 4}}, meta: map[string]any{"k\xff": "\xc0\x80"}},
	{name: "GGUF, no name", file: gguf(1, 0, 4, info("", 0, 0, 1)), tensors: []listed{{"", "F32", "[1]", 4}}},
	{name: "GGUF, arrays in arrays", file: gguf(0, 1, 0, pair("k", 9, uint32(9), uint64(2), uint32(0), uint64(2), uint8(1), uint8(2), uint32(8), uint64(1), str("a"))),
		meta: map[string]any{"k": []any{[]uint8{1, 2}, []string{"a"}}}},
	// The headers of 123 and 90 bytes are padded to 128 and 96.
	{name: "GGUF, alignment 8", file: raw("GGUF", uint32(3), uint64(2), uint64(1), pair("general.alignment", 4, uint32(8)), info("a", 24, 0, 5), info("b", 24, 8, 1), make([]byte, 5+9)),
		tensors: []listed{{"a", "I8", "[5]", 5}, {"b", "I8", "[1]", 1}}, meta: map[string]any{"general.alignment": uint32(8)}},
	{name: "GGUF, alignment 48", file: raw("GGUF", uint32(3), uint64(1), uint64(1), pair("general.alignment", 4, uint32(48)), info("a", 24, 0, 5), make([]byte, 6+8)),
		tensors: []listed{{"a", "I8", "[5]", 5}}, meta: map[string]any{"general.alignment": uint32(48)}, tail: 3},
}

func TestSurveyListsWhatIsLegal(t *testing.T) {
	for _, l := range legal {
		t.Run(l.name, func(t *testing.T) {
			var x *Index
			var err error
			used := allocated(func() { x, err = Survey(bytes.NewReader(l.file)) })
			if err != nil {
				t.Fatal(err)
			}
			if limit := uint64(2*len(l.file) + 1<<20); used > limit {
				t.Errorf("allocated %d bytes for a file of %d", used, len(l.file))
			}
			var got []listed
			for _, ts := range x.Tensors {
				got = append(got, listed{ts.Name, ts.Type, fmt.Sprint(ts.Shape), ts.Bytes})
			}
			if !reflect.DeepEqual(got, l.tensors) {
				t.Errorf("tensors %.300v, wanted %.300v", got, l.tensors)
			}
			if m := values(x); len(m) != len(l.meta) || len(m) > 0 && !reflect.DeepEqual(m, l.meta) {
				t.Errorf("metadata %.300v", m)
			}
			if x.Gaps != l.gaps || x.Tail != l.tail {
				t.Errorf("%d bytes between and %d behind the tensors, wanted %d and %d", x.Gaps, x.Tail, l.gaps, l.tail)
			}
		})
	}
}

// Every element type of either format is listed with its size; only those that the
// engine computes with can be read.
func TestEveryElementType(t *testing.T) {
	check := func(file []byte, row elementType, n int64) {
		t.Helper()
		x, err := Survey(bytes.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			return
		}
		ts := x.Tensors[0]
		if ts.Type != row.name || ts.Bytes != n {
			t.Errorf("%s is listed as %+v", row.name, ts)
		}
		_, err = ReadFloat32(bytes.NewReader(file), ts)
		if readable := row.dtype < Unknown; (err == nil) != readable {
			t.Errorf("%s: %v", row.name, err)
		} else if err != nil && (!fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), `"a" is stored as `+row.name) || !strings.Contains(err.Error(), "F16")) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	for id, row := range ggmlTypes {
		n := 2 * row.bytes
		if row.elems == 0 {
			n = UnknownBytes
		}
		check(gguf(1, 0, int(max(n, 1)), info("a", id, 0, uint64(max(row.elems, 1)), 2)), row, n)
	}
	for _, row := range safetensorsTypes {
		check(safe(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[2,%d],"data_offsets":[0,%d]}}`, row.name, row.elems, 2*row.bytes), int(2*row.bytes)), row, 2*row.bytes)
	}
	if len(ggmlTypes) < 43 || len(safetensorsTypes) < 22 {
		t.Errorf("%d types of ggml, %d of safetensors", len(ggmlTypes), len(safetensorsTypes))
	}
}

// A model may have tensors that nobody asks for, of any type; it is told which of
// those that are asked for cannot be read.
func TestOnlyUsedTensorsNeedBeReadable(t *testing.T) {
	file := bytes.NewReader(safe(`{`+one+`,"ids":{"dtype":"I32","shape":[2],"data_offsets":[8,16]},"new":{"dtype":"F31","shape":[1],"data_offsets":[16,17]}}`, 17))
	x, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"a": "", "ids": `"ids" is stored as I32`, "new": `"new" is stored as "F31"`} {
		ts, _ := x.Lookup(name)
		if _, err := ReadFloat32(file, ts); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// More metadata than any limit of ours used to allow.
func TestManyMetadataPairs(t *testing.T) {
	const n = 30000
	var pairs bytes.Buffer
	text := []byte(`{"__metadata__":{`)
	for i := range n {
		key := fmt.Sprintf("comfy.gguf.orig_shape.blocks.%d", i)
		pairs.Write(pair(key, 9, uint32(5), uint64(2), int32(i), int32(2)))
		text = fmt.Appendf(text, `"%s":"[%d, 2]",`, key, i)
	}
	for name, file := range map[string][]byte{
		"GGUF": gguf(0, n, 0, pairs.Bytes()), "safetensors": safe(strings.TrimSuffix(string(text), ",")+"}}", 0),
	} {
		x, err := Survey(bytes.NewReader(file))
		if err != nil || len(x.Meta) != n {
			t.Fatalf("%s: %v", name, err)
		}
		if v, ok := x.Value("comfy.gguf.orig_shape.blocks.7"); !ok || !strings.Contains(fmt.Sprint(v), "[7") {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// sparse is a file of zeros behind a beginning.
type sparse struct {
	head []byte
	size int64
}

func (s sparse) Size() int64 { return s.size }

func (s sparse) ReadAt(b []byte, off int64) (int, error) {
	clear(b)
	if off < int64(len(s.head)) {
		copy(b, s.head[off:])
	}
	return len(b), nil
}

// In a file that is long enough for what it claims, the claims meet the limit.
func TestLimitsInLongFiles(t *testing.T) {
	for name, c := range map[string]struct {
		head   []byte
		reason Reason
	}{
		"GGUF text":    {raw("GGUF", uint32(3), uint64(0), uint64(1), str("k"), uint32(8), uint64(maxHeader)), TooLong},
		"GGUF array":   {raw("GGUF", uint32(3), uint64(0), uint64(1), str("k"), uint32(9), uint32(10), uint64(maxHeader/8)), TooLong},
		"GGUF tensors": {raw("GGUF", uint32(3), uint64(1)<<30, uint64(0)), TooLong},
		"GGUF pairs":   {raw("GGUF", uint32(3), uint64(0), uint64(1)<<40), TooLong},
		"safetensors":  {raw(uint64(maxHeader+1), "{}"), BadSize},
		"GGUF 2^63":    {raw("GGUF", uint32(3), uint64(1)<<63, uint64(0)), Truncated},
	} {
		var err error
		used := allocated(func() { _, err = Survey(sparse{c.head, 1 << 50}) })
		if !errors.Is(err, c.reason) || !strings.ContainsAny(err.Error(), "0123456789") {
			t.Errorf("%s: %v", name, err)
		}
		if used > 1<<20 {
			t.Errorf("%s: allocated %d bytes", name, used)
		}
	}
	// Offsets at the end of what a number can hold.
	for _, off := range []uint64{math.MaxUint64 - 31, 1 << 63, 1 << 62} {
		if err := use(bytes.NewReader(gguf(1, 0, 64, info("a", 0, off, 2)))); !errors.Is(err, Truncated) {
			t.Errorf("offset %d: %v", off, err)
		}
	}
}

// The reference files of the field's own libraries, where they are at hand.
func TestSurveyOfForeignFiles(t *testing.T) {
	names, err := filepath.Glob("../../../shared/goldens/*.safetensors")
	if err != nil || len(names) == 0 {
		t.Skip("put reference files (docs/tool.md, “What conform compares”) in ../shared/goldens, beside the repository, to run this test")
	}
	for _, name := range names {
		src, err := OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := Survey(src); err != nil || len(x.Tensors) == 0 {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
		src.Close()
	}
}
