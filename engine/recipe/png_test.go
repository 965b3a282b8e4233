package recipe

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"reflect"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/guidance"
)

// valid checks that the engine would accept a request.
func valid(t *testing.T, q Request) {
	t.Helper()
	within := func(v, from, to float64) bool { return v >= from && v <= to }
	ok := CheckPrompt(q.Prompt) == nil && within(float64(q.Steps), 1, float64(limits.MaxSteps)) &&
		slices.Contains(limits.Sizes, q.Size) && within(q.CFG, 0, MaxCFG) && len(q.Guidance) <= MaxTerms
	for _, d := range q.Guidance {
		ok = ok && CheckPrompt(d.Positive) == nil && CheckPrompt(d.Negative) == nil && within(d.Head, -guidance.MaxWeight, guidance.MaxWeight)
		if _, err := d.Schedule.Weights(d.Weight, limits.Blocks); err != nil {
			t.Fatal(err)
		}
	}
	if !ok {
		t.Fatalf("not a request that can be made: %+v", q)
	}
}

// same compares requests, where a list of nothing is no list.
func same(a, b Request) bool {
	return bytes.Equal(JSON(Parameters{Request: a}), JSON(Parameters{Request: b}))
}

func smallPNG(t testing.TB) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var made = Parameters{Request: rich, Model: "sprites", Revision: "2026-11-22", Precision: "Q8_0", Backend: "cpu", Plan: "abc"}

func TestPNGThereAndBack(t *testing.T) {
	file, err := WritePNG(smallPNG(t), made)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(file)); err != nil {
		t.Errorf("the picture cannot be read any more: %v", err)
	}
	got, notices, err := FromPNG(file, base, limits, inflated)
	if err != nil || len(notices) != 0 || !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, %v, %v\nwanted %+v", got, notices, err, made)
	}
	// The beginning of the file is enough.
	if got, _, err := FromPNG(file[:bytes.Index(file, []byte("IDAT"))], base, limits, inflated); err != nil || !reflect.DeepEqual(got, made) {
		t.Errorf("from the beginning: %+v, %v", got, err)
	}
}

// What the unconditional pass gets of the directions comes back from pictures and links as
// it was asked for: which way is the default depends on the model.
func TestRowsThereAndBack(t *testing.T) {
	for _, rows := range append(slices.Clone(guidance.AllRows), "") {
		p := Parameters{Request: base}
		p.GuidanceRows = rows
		got, _, err := FromJSON(JSON(p), base, limits)
		link, _, _ := FromHash(Hash(p.Request), base, limits)
		if err != nil || got.GuidanceRows != rows || link.GuidanceRows != rows {
			t.Errorf("of %q, a picture keeps %q and a link %q (%v)", rows, got.GuidanceRows, link.GuidanceRows, err)
		}
	}
}

// The size of a square is a number, as it always was; any other is a list.
func TestPNGSizes(t *testing.T) {
	for text, size := range map[string]Size{`"size":256`: Square(256), `"size":[192,96]`: wide} {
		p := Parameters{Request: base}
		p.Size = size
		file, err := WritePNG(smallPNG(t), p)
		if err != nil || !bytes.Contains(file, []byte(text+`,`)) {
			t.Errorf("%v is not written as %s: %v", size, text, err)
		}
		other := base
		other.Size = Square(128)
		got, notices, err := FromPNG(file, other, limits, nil)
		if err != nil || len(notices) != 0 || got.Size != size {
			t.Errorf("%s is read as %v: %v, %v", text, got.Size, notices, err)
		}
	}
	for _, c := range []struct {
		text string
		want Size
		said []Notice
	}{
		{`[96,192]`, limits.Sizes[3], nil}, {`[256,256]`, Square(256), nil}, {`[96,193]`, limits.Sizes[3], []Notice{{FieldSize, "96x193", "96x192"}}},
		{`"256"`, base.Size, []Notice{{FieldSize, `"256"`, ""}}}, {`[256]`, base.Size, []Notice{{FieldSize, "[256]", ""}}}, {`[1,null]`, base.Size, []Notice{{FieldSize, "[1,null]", ""}}},
		{`{}`, base.Size, []Notice{{FieldSize, "{}", ""}}},
	} {
		got, notices, err := FromJSON([]byte(`{"size":`+c.text+`}`), base, limits)
		if err != nil || got.Size != c.want || !slices.Equal(notices, c.said) {
			t.Errorf("%s is read as %v: %v, %v", c.text, got.Size, notices, err)
		}
	}
}

func TestPNGRefusals(t *testing.T) {
	good, err := WritePNG(smallPNG(t), made)
	if err != nil {
		t.Fatal(err)
	}
	chunk := func(kind, data string) []byte {
		b := bytes.Clone(good[:header])
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		b = append(append(b, kind...), data...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[header+4:]))
		return append(b, good[len(good)-frame:]...)
	}
	flipped := bytes.Clone(good)
	flipped[header+60] ^= 1
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[header:], 1<<31)
	for _, c := range []struct {
		name, says string
		file       []byte
	}{
		{"empty", "not a PNG", nil},
		{"JPEG", "not a PNG", []byte("\xff\xd8\xff\xe0" + strings.Repeat("\x00", 100))},
		{"without a header", "not a PNG", append([]byte(signature), make([]byte, 100)...)},
		{"of somebody else", "no parameters", smallPNG(t)},
		{"a flipped bit", "checksum", flipped},
		{"a length over the file", "ends within", huge},
		{"cut within the chunk", "ends within", good[:header+30]},
		{"compressed", "compressed", chunk("iTXt", Keyword+"\x00\x01\x00\x00\x00abc")},
		{"no text", "too early", chunk("iTXt", Keyword+"\x00\x00\x00abc")},
		{"another keyword", "no parameters", chunk("iTXt", Keyword+"s\x00\x00\x00\x00\x00{}")},
		{"not JSON", "not a JSON object", chunk("iTXt", string(begin)+"<b>")},
		{"a list", "not a JSON object", chunk("iTXt", string(begin)+"[]")},
		{"nested", "not a JSON object", chunk("iTXt", string(begin)+strings.Repeat("[", 200_000))},
		{"too long", "limit", chunk("iTXt", string(begin)+strings.Repeat(" ", MaxJSON)+"{}")},
		{"behind the end", "no parameters", append(chunk("tEXt", "Software\x00x"), good[header:]...)},
	} {
		got, _, err := FromPNG(c.file, base, limits, inflated)
		if !fault.Is(err, fault.PictureInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, wanted %q", c.name, err, c.says)
		}
		if !reflect.DeepEqual(got.Request, base) {
			t.Errorf("%s changed %+v", c.name, got)
		}
	}
}

// Whatever of the JSON can be used is used.
func TestJSONInPart(t *testing.T) {
	got, notices, err := FromJSON([]byte(`{"prompt":5,"seed":1e99,"steps":"four","size":null,"guidance":7,"model":"`+strings.Repeat("m", 100)+`","later":{"a":[1]}}`), base, limits)
	want := base
	want.Seed = 1<<32 - 1
	if err != nil || !reflect.DeepEqual(got.Request, want) || got.Model != strings.Repeat("m", 40)+"…" || len(notices) != 5 {
		t.Errorf("%+v, %v, %v", got, notices, err)
	}
}

// allocated is how many bytes were allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func FuzzPNG(f *testing.F) {
	good, err := WritePNG(smallPNG(f), made)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, []byte(`{}`))
	f.Add(smallPNG(f), JSON(made))
	for kind, data := range map[string]string{
		"tEXt": Keyword + "\x00" + string(JSON(made)), "zTXt": Keyword + "\x00\x00" + deflated(string(JSON(made))),
		"iTXt": Keyword + "\x00\x01\x00\x00\x00" + deflated(strings.Repeat(" ", MaxJSON+1)),
	} {
		f.Add(withChunk(smallPNG(f), kind, data, false), []byte(`{"guidance":[{"weight":1,"later":2,"schedule":{"kind":"step","start":1,"later":{}}},7]}`))
	}
	f.Add(good[:50], []byte(`{"seed":-1,"guidance":[{"weight":1e999,"schedule":{"kind":"table","table":[1e9]}}]}`))
	f.Fuzz(func(t *testing.T, file, document []byte) {
		// What is allocated follows from the file and from what is in it decompressed.
		texts := 0
		counted := func(data []byte, most int) ([]byte, error) {
			text, err := inflated(data, most)
			texts += len(text) + 1<<17 // and what Go's zlib takes for itself
			return text, err
		}
		before := allocated()
		p, _, err := FromPNG(file, base, limits, counted)
		if used, limit := allocated()-before, uint64(40*(len(file)+texts)+1<<20); used > limit {
			t.Errorf("allocated %d bytes for a file of %d", used, len(file))
		}
		if err != nil && !fault.Is(err, fault.PictureInvalid) {
			t.Fatalf("no fault: %v", err)
		}
		valid(t, p.Request)
		// The same behind a checksum that is right.
		if p, _, err = FromJSON(document, base, limits); err != nil && !fault.Is(err, fault.PictureInvalid) {
			t.Fatalf("no fault: %v", err)
		}
		valid(t, p.Request)
		again, err := WritePNG(good, p)
		if err != nil {
			t.Fatal(err)
		}
		if q, notices, err := FromPNG(again, base, limits, inflated); err != nil || len(notices) != 0 || !bytes.Equal(JSON(p), JSON(q)) {
			t.Fatalf("%+v became %+v (%v, %v)", p, q, notices, err)
		}
	})
}

// inflated is Go's own zlib.
func inflated(data []byte, most int) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	if err == nil && len(out) > most {
		err = errors.New("too long")
	}
	return out, err
}
