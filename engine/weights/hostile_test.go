package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// raw builds the bytes of a file by hand: numbers as little-endian, strings as
// they are, str with a length before it.
func raw(parts ...any) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case str:
			binary.Write(&b, binary.LittleEndian, uint64(len(p)))
			b.WriteString(string(p))
		default:
			if err := binary.Write(&b, binary.LittleEndian, p); err != nil {
				panic(err)
			}
		}
	}
	return b.Bytes()
}

type str string

// safe makes a safetensors file of a header and n bytes of data.
func safe(header string, n int) []byte {
	return raw(uint64(len(header)), header, make([]byte, n))
}

// gguf makes a GGUF file: counts, then the given parts, padded to 32 and
// followed by n bytes of data.
func gguf(tensors, pairs uint64, n int, parts ...any) []byte {
	b := raw(append([]any{"GGUF", uint32(3), tensors, pairs}, parts...)...)
	return append(b, make([]byte, int(roundUp(int64(len(b)), 32))-len(b)+n)...)
}

// info is the description of a GGUF tensor; dims are innermost first.
func info(name string, kind uint32, offset uint64, dims ...uint64) []byte {
	return raw(str(name), uint32(len(dims)), dims, kind, offset)
}

// pair is a metadata pair.
func pair(key string, kind uint32, value ...any) []byte {
	return raw(append([]any{str(key), kind}, value...)...)
}

const one = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`

// hostile is every way that we could think of in which a file cannot serve as the
// weights of a model that uses all of its tensors.
var hostile = []struct {
	name   string
	file   []byte
	reason Reason
}{
	{"nothing", nil, Truncated},
	{"eight bytes", make([]byte, 8), Truncated},
	{"HTML", []byte("<!DOCTYPE html><title>404</title>"), BadMagic},
	{"Git LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), BadMagic},

	{"header length 0", raw(uint64(0), "{}"), BadSize},
	{"header length 1", raw(uint64(1), "{"), BadSize},
	{"header length 2^63", raw(uint64(1)<<63, "{}"), BadSize},
	{"header length 2^64-1", raw(uint64(math.MaxUint64), "{}"), BadSize},
	{"header length over the cap", raw(uint64(maxHeader+1), "{}"), BadSize},
	{"header longer than the file", raw(uint64(1000), "{}"), Truncated},
	{"header is an array", safe("[]", 0), BadMagic},
	{"header ends early", safe("{"+one, 8), Truncated},
	{"header ends in a string", safe(`{"abc`, 0), Truncated},
	{"text behind the header", safe("{"+one+"} x", 8), BadSyntax},
	{"no colon", safe(`{"a" {}}`, 0), BadSyntax},
	{"no comma", safe(`{`+one+` "b":{}}`, 8), BadSyntax},
	{"trailing comma", safe(`{`+one+`,}`, 8), BadSyntax},
	{"single quotes", safe(`{'a':{}}`, 0), BadSyntax},
	{"newline in a string", safe("{\"a\n\":{}}", 0), BadSyntax},
	{"unknown escape", safe(`{"\x":{}}`, 0), BadSyntax},
	{"half a surrogate", safe(`{"\ud800":{}}`, 0), BadText},
	{"wrong second half", safe(`{"\ud800\u0041":{}}`, 0), BadText},
	{"bad UTF-8", safe("{\"\xff\":{}}", 0), BadText},
	{"hexadecimal", safe(`{"\u12g4":{}}`, 0), BadSyntax},
	{"depth 10,000", safe(`{"a":`+strings.Repeat("[", 10000)+`}`, 0), BadSyntax},
	{"shape of depth 10,000", safe(`{"a":{"shape":`+strings.Repeat("[", 10000)+`}}`, 0), BadNumber},
	{"duplicate tensor", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16), Duplicate},
	{"duplicate tensor, escaped", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16), Duplicate},
	{"duplicate field", safe(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), Duplicate},
	{"duplicate metadata", safe(`{"__metadata__":{},"__metadata__":{},`+one+`}`, 8), Duplicate},
	{"duplicate metadata key", safe(`{"__metadata__":{"k":"1","k":"2"},`+one+`}`, 8), Duplicate},
	{"metadata is a number", safe(`{"__metadata__":{"k":1},`+one+`}`, 8), BadSyntax},
	{"unknown field", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8), UnknownKey},
	{"no dtype", safe(`{"a":{"shape":[2],"data_offsets":[0,8]}}`, 8), MissingKey},
	{"unknown dtype", safe(`{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}`, 8), UnknownType},
	{"dtype too long", safe(`{"a":{"dtype":"`+strings.Repeat("F", maxTypeName+1)+`","shape":[2],"data_offsets":[0,8]}}`, 8), TooLong},
	{"unsupported dtype", safe(`{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}`, 8), BadType},
	{"negative dimension", safe(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), BadNumber},
	{"dimension 1e400", safe(`{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}`, 8), BadNumber},
	{"dimension 2.5", safe(`{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}`, 8), BadNumber},
	{"dimension 02", safe(`{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}`, 8), BadNumber},
	{"dimension 2^64", safe(`{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}`, 8), BadNumber},
	{"dimension 2^42", safe(`{"a":{"dtype":"F32","shape":[4398046511104],"data_offsets":[0,8]}}`, 8), TooLarge},
	{"product wraps to 0", safe(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), TooLarge},
	{"zero dimension", safe(`{"a":{"dtype":"F32","shape":[2,0],"data_offsets":[0,0]}}`, 0), ZeroDim},
	{"three offsets", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}`, 8), BadSyntax},
	{"offsets reversed", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), BadExtent},
	{"offsets too narrow", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}}`, 8), BadExtent},
	{"half a byte of F4", safe(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, 2), BadBlock},
	{"more tensors than memory", safe(`{`+strings.Repeat(`"":{},`, 40000)+`}`, 0), TooMany},
	{"more metadata than memory", safe(`{"__metadata__":{`+strings.Repeat(`"":"",`, 60000)+`}}`, 0), TooMany},
	{"a picture", raw("\x89PNG\r\n\x1a\n", make([]byte, 8)), BadMagic},
	{"hole", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), Hole},
	{"overlap", safe(`{`+one+`,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12), Overlap},
	{"ends before EOF", safe(`{`+one+`}`, 9), Trailing},
	{"ends behind EOF", safe(`{`+one+`}`, 7), Truncated},

	{"GGUF and nothing else", []byte("GGUF\x03\x00\x00\x00\x00"), Truncated},
	{"GGUF version 1", raw("GGUF", uint32(1), make([]byte, 16)), BadVersion},
	{"GGUF version 4", raw("GGUF", uint32(4), make([]byte, 16)), BadVersion},
	{"GGUF big-endian", raw("GGUF", uint32(3<<24), make([]byte, 16)), BadVersion},
	{"GGUF 2^63 tensors", gguf(1<<63, 0, 0), Truncated},
	{"GGUF 17,000 tensors in nothing", gguf(17000, 0, 0), Truncated},
	{"GGUF 2^64-1 pairs", gguf(0, math.MaxUint64, 0), Truncated},
	{"GGUF more tensors than bytes", gguf(1000, 0, 0), Truncated},
	{"GGUF name of 2^63 bytes", gguf(1, 0, 64, uint64(1)<<63), Truncated},
	{"GGUF name behind the file", gguf(1, 0, 64, uint64(200)), Truncated},
	{"GGUF five dimensions", gguf(1, 0, 8, info("a", 0, 0, 2, 1, 1, 1, 1)), BadDims},
	{"GGUF 2^32-1 dimensions", gguf(1, 0, 64, str("a"), uint32(math.MaxUint32)), BadDims},
	{"GGUF zero dimension", gguf(1, 0, 0, info("a", 0, 0, 2, 0)), ZeroDim},
	{"GGUF dimension 2^42", gguf(1, 0, 8, info("a", 0, 0, 1<<42)), TooLarge},
	{"GGUF dimension 2^64-1", gguf(1, 0, 8, info("a", 0, 0, math.MaxUint64)), TooLarge},
	{"GGUF product wraps to 0", gguf(1, 0, 8, info("a", 0, 0, 1<<32, 1<<32)), TooLarge},
	{"GGUF unknown type", gguf(1, 0, 8, info("a", 99, 0, 2)), UnknownType},
	{"GGUF unsupported type", gguf(1, 0, 292, info("a", 15, 0, 256)), BadType},
	{"GGUF misaligned block", gguf(1, 0, 64, info("a", 8, 0, 33)), BadBlock},
	{"GGUF block across rows", gguf(1, 0, 64, info("a", 2, 0, 16, 2)), BadBlock},
	{"GGUF misaligned tensor", gguf(2, 0, 64, info("a", 0, 0, 2), info("b", 0, 8, 2)), BadAlign},
	{"GGUF hole", gguf(2, 0, 128, info("a", 0, 0, 2), info("b", 0, 64, 2)), Hole},
	{"GGUF overlap", gguf(2, 0, 64, info("a", 0, 0, 2), info("b", 0, 0, 2)), Overlap},
	{"GGUF duplicate tensor", gguf(2, 0, 64, info("a", 0, 0, 2), info("a", 0, 32, 2)), Duplicate},
	{"GGUF tensor behind EOF", gguf(1, 0, 8, info("a", 0, 0, 1000)), Truncated},
	{"GGUF data missing", gguf(1, 0, 0, info("a", 0, 0, 2)), Truncated},
	{"GGUF bytes behind the end", gguf(1, 0, 9, info("a", 0, 0, 2)), Trailing},
	{"GGUF a block too many", gguf(1, 0, 64, info("a", 0, 0, 2)), Trailing},
	{"GGUF empty key", gguf(0, 1, 0, pair("", 4, uint32(1), uint32(0))), Empty},
	{"GGUF duplicate key", gguf(0, 2, 0, pair("k", 4, uint32(1)), pair("k", 4, uint32(1))), Duplicate},
	{"GGUF unknown value type", gguf(0, 1, 0, pair("k", 13, uint64(0))), UnknownType},
	{"GGUF truth value 2", gguf(0, 1, 0, pair("k", 7, uint8(2))), BadValue},
	{"GGUF text of 2^64-1 bytes", gguf(0, 1, 0, pair("k", 8, uint64(math.MaxUint64))), Truncated},
	{"GGUF text behind the file", gguf(0, 1, 0, pair("k", 8, uint64(1<<20))), Truncated},
	{"GGUF array of 2^63", gguf(0, 1, 0, pair("k", 9, uint32(10), uint64(1)<<63)), Truncated},
	{"GGUF array behind the file", gguf(0, 1, 0, pair("k", 9, uint32(0), uint64(1<<20))), Truncated},
	{"GGUF alignment 0", gguf(0, 1, 0, pair("general.alignment", 4, uint32(0))), BadAlign},
	{"GGUF alignment 12", gguf(0, 1, 0, pair("general.alignment", 4, uint32(12))), BadAlign},
	{"GGUF more tensors than memory", gguf(40000, 0, 0, bytes.Repeat(info("", 0, 0), 40000)), TooMany},
	{"GGUF arrays nested deeper than 8", gguf(0, 1, 0, str("k"), uint32(9), bytes.Repeat(raw(uint32(9), uint64(1)), 9), make([]byte, 12)), TooMany},
	{"GGUF alignment is text", gguf(0, 1, 0, pair("general.alignment", 8, str("32"))), BadAlign},
}

// use reads a header and asks whether every tensor can be computed with.
func use(src op.Source) error {
	x, err := Parse(src)
	if err != nil {
		return err
	}
	for _, t := range x.Tensors {
		if err := t.Readable(); err != nil {
			return err
		}
	}
	return nil
}

func TestHostileHeaders(t *testing.T) {
	if len(hostile) < 40 {
		t.Fatalf("%d hostile headers, wanted at least 40", len(hostile))
	}
	seen := map[Reason]bool{}
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			var err error
			used := allocated(func() { err = use(bytes.NewReader(h.file)) })
			if err == nil {
				t.Fatal("accepted")
			}
			var r Reason
			if !errors.As(err, &r) || r != h.reason {
				t.Errorf("refused as %q, wanted %q: %v", r, h.reason, err)
			}
			kind := map[fault.Code]string{fault.WeightsFormat: "damaged: ", fault.WeightsTruncated: "damaged: ",
				fault.ModelUnsupported: "not supported here: ", fault.WeightsLimit: "over a limit of this program: ", fault.NotWeights: "not a weight file"}[fault.Of(err).Code]
			if kind == "" || !strings.Contains(err.Error(), kind) {
				t.Errorf("the refusal does not say that it is %q: %v", kind, err)
			}
			if limit := uint64(2*len(h.file) + 1<<20); used > limit {
				t.Errorf("allocated %d bytes for a file of %d", used, len(h.file))
			}
		})
		seen[h.reason] = true
	}
	for _, r := range []Reason{Truncated, Trailing, BadMagic, BadVersion, BadSize, TooMany, TooLarge, TooLong, BadText, Empty,
		Duplicate, BadSyntax, BadNumber, UnknownKey, MissingKey, BadValue, UnknownType, BadType, BadDims, ZeroDim, BadBlock,
		BadAlign, Hole, Overlap, BadExtent} {
		if !seen[r] {
			t.Errorf("no header is refused because of %q", r)
		}
	}
}

// The claims of a header's first bytes are refused before anything is set aside.
// The time is the best of many, so that a busy machine does not decide.
func TestAbsurdLengthsCostNothing(t *testing.T) {
	for _, n := range []uint64{0, 1 << 63, math.MaxUint64, maxHeader + 1} {
		file, best := bytes.NewReader(raw(n, "{}")), time.Hour
		for range 20 {
			begin := time.Now()
			used := allocated(func() {
				if _, err := Parse(file); err == nil {
					t.Fatalf("header length %d was accepted", n)
				}
			})
			if best = min(best, time.Since(begin)); used > 64<<10 {
				t.Fatalf("header length %d: %d bytes allocated", n, used)
			}
		}
		if best > 5*time.Millisecond {
			t.Errorf("header length %d: refused after %v", n, best)
		}
	}
}

// A tensor may claim a size that only the file's length refutes.
func TestHugeTensorInSmallFile(t *testing.T) {
	for name, file := range map[string][]byte{
		"safetensors": safe(`{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}`, 64),
		"gguf":        gguf(1, 0, 64, info("a", 0, 0, 1<<40)),
	} {
		_, err := Parse(bytes.NewReader(file))
		if !errors.Is(err, Truncated) || !strings.Contains(err.Error(), "4398046511104") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScalesThatAreNotNumbers(t *testing.T) {
	block := func(scale uint16, n int) []byte { return raw(scale, bytes.Repeat([]byte{0x77}, n)) }
	for name, c := range map[string]struct {
		dt   op.DType
		id   uint32
		data []byte
		bad  string
	}{
		"Q8_0 NaN":      {op.Q8_0, 8, append(block(0x3c00, 32), block(0x7e00, 32)...), "32 elements"},
		"Q8_0 infinite": {op.Q8_0, 8, append(block(0x3c00, 32), block(0xfc00, 32)...), "32 elements"},
		"Q4_0 NaN":      {op.Q4_0, 2, append(block(0x3c00, 16), block(0x7c01, 16)...), "32 elements"},
		"Q4_0 infinite": {op.Q4_0, 2, append(block(0x3c00, 16), block(0x7c00, 16)...), "32 elements"},
		"F16 NaN":       {op.F16, 1, raw(make([]byte, 64), uint16(0x7fff), make([]byte, 62)), "1 elements"},
		"BF16 infinite": {op.BF16, 30, raw(make([]byte, 64), uint16(0xff80), make([]byte, 62)), "1 elements"},
		"F32 NaN":       {op.F32, 0, raw(make([]byte, 128), uint32(0x7f800001), make([]byte, 124)), "1 elements"},
	} {
		file := bytes.NewReader(append(gguf(1, 0, 0, info("a", c.id, 0, 32, 2)), c.data...))
		x, err := Parse(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = CheckFinite(file, x.Tensors[0])
		if !fault.Is(err, fault.WeightsNotFinite) || !strings.Contains(fmt.Sprint(err), c.bad) || !strings.Contains(err.Error(), "the first at 32 of 64") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
