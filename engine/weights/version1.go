package weights

import (
	"encoding/json"
	"strings"

	"undertone/engine/recipe"
	"undertone/engine/sample"
)

// manifest1 is a model.json of version 1: a FLUX of one text encoder, whose networks
// have fixed places, and a fixed shift among the defaults.
type manifest1 struct {
	Manifest
	Parameters recipe.Counts   `json:"parameters"`
	DiT        json.RawMessage `json:"dit"`
	Text       ignored         `json:"text"` // its layout is the text encoder's kind
	VAE        ignored         `json:"vae"`  // its kind is the decoder's
	Defaults   defaults1       `json:"defaults"`
	// These two have no place here, and hide the fields of later versions.
	Components json.RawMessage `json:"components"`
	Scheduler  json.RawMessage `json:"scheduler"`
}

type defaults1 struct {
	recipe.Defaults
	Shift float64 `json:"shift"` // t → shift·t/(1 + (shift−1)·t)
}

// parse1 reads a model.json of version 1 as the manifest that it would be today.
func parse1(text string) (Manifest, error) {
	var m manifest1
	if err := decode(strings.NewReader(text), "model.json", &m); err != nil {
		return m.Manifest, err
	}
	c := &checker{}
	if m.Components != nil || m.Scheduler != nil {
		c.fail("components and scheduler belong to version 2")
	}
	for i := range m.Files {
		if m.Files[i].Name != "" {
			c.fail("names of files belong to version 2")
		}
		m.Files[i].Name = m.Files[i].Role
	}
	c.number("defaults.shift", m.Defaults.Shift, 0.01, 100)
	objects := map[string]string{}
	pairs(text, func(key string, _, value, end int) { objects[key] = text[value:end] })
	encoder, ofEncoder := c.cut("text", objects["text"], "layout")
	decoder, ofDecoder := c.cut("vae", objects["vae"], "kind")
	if len(m.DiT) == 0 || m.DiT[0] != '{' {
		c.fail("%q must be an object", "dit")
	}
	out := m.Manifest
	out.Version = ManifestVersion
	out.Defaults = m.Defaults.Defaults
	out.Scheduler = sample.Schedule{Kind: "flow", Shift: m.Defaults.Shift}
	out.Components = []Component{
		{Role: RoleText, Kind: encoder, Name: encoder, Config: ofEncoder, File: "text", Tokenizer: Names{tokenizerRole}, Parameters: m.Parameters.Text},
		{Role: RoleTransformer, Kind: m.Family, Config: m.DiT, File: "dit", Parameters: m.Parameters.DiT},
		{Role: RoleDecoder, Kind: decoder, Config: ofDecoder, File: "vae", Parameters: m.Parameters.VAE},
	}
	return out, c.err
}

// ignored is a value that is read elsewhere.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// pairs walks over the members of a JSON object (false for anything else): key and
// value stand at text[begin:end], the value from text[value] on.
func pairs(text string, visit func(key string, begin, value, end int)) bool {
	l := newLexer(text, noLimit)
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		begin := l.at
		key := l.str(64)
		l.expect(':')
		l.peek() // past white space
		value := l.at
		if l.value(1); l.err == nil {
			visit(key, begin, value, l.at)
		}
	}
	return l.err == nil
}

// cut takes a word out of an object.
func (c *checker) cut(what, object, key string) (word string, rest json.RawMessage) {
	var from, to, end, n int // from:to is the pair that goes, with one of the commas beside it
	if !pairs(object, func(k string, begin, value, behind int) {
		if n == 1 && to > 0 {
			to = begin
		}
		if k == key {
			if json.Unmarshal([]byte(object[value:behind]), &word) != nil {
				c.fail("%s.%s is %.80s, wanted a word", what, key, object[value:behind])
			}
			if from, to = end, behind; n == 0 {
				from = begin
			}
		}
		end, n = behind, n+1
	}) {
		c.fail("%q must be an object", what)
	}
	return word, append([]byte(object[:from]), object[to:]...)
}
