package tinyjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// pair writes and reads itself.
type pair struct{ a, b int }

func (p pair) MarshalJSON() ([]byte, error) { return json.Marshal([]int{p.a, p.b}) }

func (p pair) AppendJSON(out []byte) []byte { return fmt.Appendf(out, "[%d,%d]", p.a, p.b) }

func (p *pair) UnmarshalJSON(text []byte) error {
	var list [2]int
	err := json.Unmarshal(text, &list)
	p.a, p.b = list[0], list[1]
	return err
}

func (p *pair) ReadJSON(text string) error { return p.UnmarshalJSON([]byte(text)) }

// inner is embedded, though its name is not exported.
type inner struct {
	Eleven string  `json:"11"`
	Twelve float32 `json:"12,omitempty"`
}

// sample has a field of every kind. The keys are digits, in which upper and lower case
// are the same: encoding/json takes either.
type sample struct {
	inner
	hidden  int
	Left    int       `json:"-"`
	Word    string    `json:"1"`
	Yes     bool      `json:"2"`
	Whole   int       `json:"3"`
	Small   int8      `json:"4,omitempty"`
	Seed    uint32    `json:"5"`
	Number  float64   `json:"6"`
	Numbers []float64 `json:"7"`
	Pointer *inner    `json:"8,omitempty"`
	Own     pair      `json:"9"`
	Structs []inner   `json:"10,omitempty"`
	Lists   [][]bool  `json:"13"`
	OwnOnes []pair    `json:"15"`
}

// read is what can only be read.
type read struct {
	sample
	Counts map[string]int64  `json:"16"`
	Raws   map[string]Raw    `json:"17"`
	Words  map[string]string `json:"18"`
	Raw    Raw               `json:"14"`
}

// texts are of every kind of value, right and wrong.
var texts = []string{
	`{}`, ` {"1":"a"} `, "\t{\r\n\"1\" : \"a\" , \"2\" : true}\n", `null`, `[]`, `7`, `"1"`, `true`, ``, ` `, `{`, `[`, `"`, `{"1"}`, `{"1":}`, `{"1":"a",}`, `{,}`, `{"1":"a"}}`, `{"1":"a"}x`,
	`{"1":null,"2":null,"3":null,"7":null,"8":null,"9":null,"14":null,"16":null}`, `{"1":5}`, `{"2":"true"}`, `{"2":tru}`, `{"2":false}`, `{"1":"a" "2":true}`,
	`{"3":1.0}`, `{"3":1e2}`, `{"3":-0}`, `{"3":01}`, `{"3":-}`, `{"3":+1}`, `{"3":.5}`, `{"3":1.}`, `{"3":1e}`, `{"3":1e+}`, `{"3":9223372036854775807}`, `{"3":9223372036854775808}`, `{"3":Infinity}`, `{"3":NaN}`, `{"3":0x10}`,
	`{"4":127}`, `{"4":128}`, `{"4":-129}`, `{"5":-1}`, `{"5":4294967296}`, `{"5":4294967295}`, `{"6":1e400}`, `{"6":-1.5e-400}`, `{"6":"1"}`, `{"12":1e39}`, `{"12":0.1}`,
	`{"7":[1,2.5,-3e-2]}`, `{"7":[]}`, `{"7":[1,]}`, `{"7":[,1]}`, `{"7":[1 2]}`, `{"7":{}}`, `{"7":[null]}`, `{"7":[[1]]}`, `{"13":[[true,false],[],null]}`,
	`{"8":{"11":"x"}}`, `{"8":{}}`, `{"8":[]}`, `{"9":[1,2]}`, `{"9":[1,2,3]}`, `{"9":{}}`, `{"10":[{"11":"x"},{"12":3},null]}`, `{"11":"x","12":1.5}`, `{"15":[[1,2],[3]]}`, `{"15":[[1,2],4]}`,
	`{"14": [1, {"a" : null}] }`, `{"16":{"a":1,"b":2}}`, `{"16":{"a":"1"}}`, `{"16":[]}`, `{"17":{"a": [ ],"a":"x"}}`, `{"18":{"é":"x","":"y"}}`,
	`{"unknown":[{"a":[1,"\u12",2]}],"1":"x"}`, `{"unknown":[{"a":[1,"\u1234",{}]}],"1":"x"}`, `{"1":"first","1":"second"}`, `{"-":5,"Left":5,"hidden":5}`,
	`{"1":"\"\\\/\b\f\n\r\t\u00e9"}`, `{"1":"\x"}`, `{"1":"\`, `{"1":"\u12g4"}`, `{"1":"\u+123"}`, `{"1":"\u1_34"}`, `{"1":"\ud83d\ude00"}`, `{"1":"\ud83d"}`, `{"1":"\ude00\ud83d"}`, `{"1":"\ud83d\u0041"}`, `{"1":"\ud83d\ud83d\ude00"}`,
	"{\"1\":\"\xff\xfea\"}", "{\"1\":\"\xff\xfe\\n\xe4\xbd\"}", "{\"1\":\"a\x00\"}", "{\"1\":\"a\n\"}", "{\"1\":\"\x7f\u2028\"}", "{\"\xff\":1}", "\ufeff{}", "{\"1\":\"画\"}", "{\"\\u0031\":\"a\"}",
	strings.Repeat("[", 9999) + strings.Repeat("]", 9999), strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001),
	strings.Repeat(`{"1":`, 10_000) + "1" + strings.Repeat("}", 10_000), strings.Repeat(`{"1":`, 10_001) + "1" + strings.Repeat("}", 10_001), strings.Repeat("[", 1<<20),
}

// alike holds Unmarshal equal to that of encoding/json.
func alike[T any](t *testing.T, text string) {
	t.Helper()
	var got, want T
	e1, e2 := Unmarshal([]byte(text), &got), json.Unmarshal([]byte(text), &want)
	if (e1 == nil) != (e2 == nil) {
		t.Fatalf("%.200q into %T: %v, encoding/json says %v", text, got, e1, e2)
	}
	if e1 == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%.200q into %T\ngave   %+v\nwanted %+v", text, got, got, want)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		alike[read](t, text)
		alike[map[string]Raw](t, text)
		alike[[]Raw](t, text)
		alike[[]float64](t, text)
		alike[string](t, text)
		alike[*int](t, text)
	})
}

// TestUnmarshalTwice: what is not named stays as it was.
func TestUnmarshalTwice(t *testing.T) {
	var got, want read
	for _, text := range []string{`{"1":"a","3":4,"8":{"11":"x"},"16":{"a":1}}`, `{"3":5,"8":{"12":2},"16":{"b":2},"7":[1]}`, `{"7":null,"16":null,"8":null}`} {
		if e1, e2 := Unmarshal([]byte(text), &got), json.Unmarshal([]byte(text), &want); e1 != nil || e2 != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s gave %+v (%v), wanted %+v (%v)", text, got, e1, want, e2)
		}
	}
	if err := Unmarshal([]byte(`{"1":"b","3":6`), &got); err == nil || got.Word != "a" || got.Whole != 5 {
		t.Errorf("half a text was taken: %+v, %v", got, err)
	}
}

func TestUnmarshalKnown(t *testing.T) {
	for text, ok := range map[string]bool{`{"1":"a","11":"b"}`: true, `{"1":"a","99":1}`: false, `{"8":{"99":1}}`: false, `{"Left":1}`: false} {
		if err := UnmarshalKnown([]byte(text), &sample{}); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := UnmarshalKnown([]byte(`{"9a":1}`), &sample{}); err == nil || !strings.Contains(err.Error(), `"9a"`) {
		t.Errorf("the refusal does not name the field: %v", err)
	}
}

func TestUnmarshalFirst(t *testing.T) {
	for text, want := range map[string]string{`[1,2]`: "", `[1,2]).`: ").", " [ ] [": " [", `[]]`: "]"} {
		var list []int
		if rest, err := UnmarshalFirst(text, &list); err != nil || rest != want || list == nil {
			t.Errorf("%s: %v, then %q, %v", text, list, rest, err)
		}
	}
	for _, text := range []string{"", "x", "[1", `["a"]`, "{}"} {
		var list []int
		if rest, err := UnmarshalFirst(text, &list); err == nil {
			t.Errorf("%q was read as %v, then %q", text, list, rest)
		}
	}
}

// same holds Marshal equal to that of encoding/json.
func same(t *testing.T, v any) {
	t.Helper()
	got, e1 := Marshal(v)
	want, e2 := json.Marshal(v)
	if (e1 == nil) != (e2 == nil) || e1 == nil && !bytes.Equal(got, want) {
		t.Errorf("%+v\ngave   %s, %v\nwanted %s, %v", v, got, e1, want, e2)
	}
}

func TestMarshal(t *testing.T) {
	full := sample{
		inner: inner{"e", 1.25}, hidden: 1, Left: 2, Word: "<a href=\"x\">&\\\u2028\u2029\x00\x1f\x7f\b\f\n\r\té画😀\xff\xe4\xbd", Yes: true, Whole: -5, Small: -128, Seed: math.MaxUint32,
		Number: 1e21, Numbers: []float64{0, math.Copysign(0, -1), 1e-6, 9.9e-7, 1e-7, 1e-10, 1e20, 1e21, 1e100, 0.1, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64, 5e-324, 123456789},
		Pointer: &inner{}, Own: pair{1, 2}, Structs: []inner{{}, {"\ufffd", 1e-7}}, Lists: [][]bool{{true}, nil, {}}, OwnOnes: []pair{{3, 4}},
	}
	for _, v := range []any{full, &full, sample{}, []sample{full}, struct{}{}, []inner{{"", 3e21}, {"", 1e-9}, {"", math.MaxFloat32}}, "a", 5, true, []string{}, (*int)(nil), math.Inf(1), []float64{math.NaN()}} {
		same(t, v)
	}
	if text, err := Marshal(map[string]int{"a": 1}); err == nil {
		t.Errorf("a map was written as %s", text)
	}
}

func FuzzMarshal(f *testing.F) {
	f.Add("a", 1.5, float32(2))
	f.Add("\xef", 0.0, float32(0))
	f.Add("<\xff\u2028", 1e-7, float32(1e21))
	f.Fuzz(func(t *testing.T, s string, x float64, y float32) {
		same(t, sample{inner: inner{s, y}, Word: s, Number: x})
	})
}
