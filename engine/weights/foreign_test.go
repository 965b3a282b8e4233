package weights

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"undertone/engine/fault"
)

func TestParseObject(t *testing.T) {
	o, err := ParseObject([]byte(` {"a" : [1, {"b":-2.5e3}], "Ünï.0.weight":"x\"\n", "n":null ,"t":true} `))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"a": `[1, {"b":-2.5e3}]`, "Ünï.0.weight": `"x\"\n"`, "n": "null", "t": "true"} {
		if got := string(o[key]); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for text, why := range map[string]Reason{
		``: Truncated, `{`: Truncated, `[]`: BadSyntax, `{"a":1,"a":2}`: Duplicate, `{"a":1}x`: BadSyntax, `{"a":1,}`: BadSyntax, `{"a" 1}`: BadSyntax,
		`{"a":nil}`: BadSyntax, `{"a":"\ud800"}`: BadText, "{\"\xff\":1}": BadText, `{"a":"` + "\n" + `"}`: BadSyntax, `{"a":}`: BadSyntax,
		`{"a":` + strings.Repeat("[", maxForeignDepth+1) + strings.Repeat("]", maxForeignDepth+1) + `}`: TooMany, `{"` + strings.Repeat("k", maxForeignKey+1) + `":1}`: TooLong,
		`{"a":` + strings.Repeat("1", 40) + `}`: BadNumber,
	} {
		if _, err := ParseObject([]byte(text)); !errors.Is(err, why) {
			t.Errorf("%.60s: %v, want %v", text, err, why)
		}
	}
}

// FuzzParseObject compares with encoding/json, which takes more: what is taken here
// is an object there, if its values are.
func FuzzParseObject(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a.b":"c"},"metadata":{"total_size":1e9}}`))
	f.Add([]byte(`{"a":[1,2,{"b":null}],"é":"\u00e9"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ParseObject(text)
		if err != nil {
			if fault.Of(err).Code == fault.Internal {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		for _, raw := range o {
			if !json.Valid(raw) {
				return
			}
		}
		var there map[string]json.RawMessage
		if err := json.Unmarshal(text, &there); err != nil || len(there) != len(o) {
			t.Fatalf("%d keys, encoding/json has %d: %v", len(o), len(there), err)
		}
		for key, raw := range there {
			if string(o[key]) != string(raw) {
				t.Errorf("%q is %q, encoding/json says %q", key, o[key], raw)
			}
		}
	})
}
