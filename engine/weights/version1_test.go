package weights

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// version1 writes the manifest of files as one of version 1.
func version1(t testing.TB, files Memory) []byte {
	t.Helper()
	m, err := ParseManifest(files["model.json"])
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	cut := func(old, new string) {
		t.Helper()
		if changed := bytes.Replace(text, []byte(old), []byte(new), 1); !bytes.Equal(changed, text) {
			text = changed
			return
		}
		t.Fatalf("%s has no %s", text, old)
	}
	for _, role := range roles {
		cut(`"name":"`+role+`",`, "")
	}
	cut(`"version":2`, `"version":1`)
	parts, after := bytes.Index(text, []byte(`"components":`)), bytes.Index(text, []byte(`"defaults":`))
	old := `"parameters":{"dit":7232,"text":2336,"vae":296},"dit":{"hidden_size":64},"text":{"layout":"clip","pad":1},"vae":{"kind":"tiny","downscale":2},`
	text = append(text[:parts:parts], append([]byte(old), text[after:]...)...)
	cut(`"defaults":{`, `"defaults":{"shift":1.5,`)
	return text
}

// A model of version 1 is the one that it would be today, and is written as that.
func TestVersion1(t *testing.T) {
	files := tinyModel(t)
	today, err := ParseManifest(files["model.json"])
	if err != nil {
		t.Fatal(err)
	}
	old, err := ParseManifest(version1(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(old, today) {
		t.Errorf("version 1 is read as\n%+v\nwanted\n%+v", old, today)
	}
	read := func(name string) []byte {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	// A whole one, as train/ wrote it, and what becomes of it.
	m, err := ParseManifest(read("version1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := m.Write(&text); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), read("version2.json")) {
		t.Errorf("it is written as\n%s", text.Bytes())
	}
	again, err := ParseManifest(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for i := range again.Components { // whose spaces differ
		again.Components[i].Config, m.Components[i].Config = compact(t, again.Components[i].Config), compact(t, m.Components[i].Config)
	}
	for i := range again.Presets {
		again.Presets[i].Schedule, m.Presets[i].Schedule = compact(t, again.Presets[i].Schedule), compact(t, m.Presets[i].Schedule)
	}
	if !reflect.DeepEqual(again, m) {
		t.Errorf("written and read it is\n%+v\nwanted\n%+v", again, m)
	}
}

// A word is cut out wherever it stands.
func TestCut(t *testing.T) {
	for object, want := range map[string]string{
		`{"kind":"a","x":1,"y":[2]}`: `{"x":1,"y":[2]}`, `{ "x":1 , "kind" : "a" , "y":{"kind":3}}`: `{ "x":1 , "y":{"kind":3}}`,
		`{"x":1,"kind":"a"}`: `{"x":1}`, `{"kind":"a"}`: `{}`, `{"x":"kind","y":1}`: `{"x":"kind","y":1}`, `{}`: `{}`, `[]`: "", `7`: "", ``: "",
	} {
		c := &checker{}
		word, rest := c.cut("vae", object, "kind")
		if want == "" {
			if c.err == nil {
				t.Errorf("%q is taken for an object", object)
			}
			continue
		}
		if has := len(object) != len(want); string(rest) != want || c.err != nil || (word == "a") != has {
			t.Errorf("%s becomes %q and %s: %v, wanted %s", object, word, rest, c.err, want)
		}
	}
}

func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
