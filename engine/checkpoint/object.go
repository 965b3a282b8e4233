package checkpoint

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Caps on the JSON files of a folder, in bytes. The index of FLUX.1's shards has 120 KB.
const (
	maxObject    = 4 << 20
	maxTokenizer = 32 << 20
)

// object is a JSON object of a folder: a config.json and its like.
type object map[string]json.RawMessage

// readObject is the one reader of JSON that came from elsewhere (ManifestInvalid, and
// what the source says).
func readObject(name string, src op.Source, limit int64) (object, error) {
	n := src.Size()
	if n > limit {
		return nil, fault.New(fault.ManifestInvalid, "%s has %d bytes, at most %d", shown(name), n, limit)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(src, 0, n), text); err != nil {
		return nil, fault.Pass(err, fault.Fetch, "%s cannot be read", shown(name))
	}
	return parseObject(name, text)
}

func parseObject(name string, text []byte) (object, error) {
	o, err := weights.ParseObject(text)
	if err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "%s is not a JSON object", shown(name))
	}
	return o, nil
}

// get decodes one value; null and an absent one change nothing and are not there.
func get[T any](o object, name, key string) (v T, there bool, err error) {
	raw, ok := o[key]
	if !ok || string(raw) == "null" {
		return v, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, false, fault.Wrap(err, fault.ManifestInvalid, "%s: %s is %.64s, wanted %T", shown(name), key, raw, v)
	}
	return v, true, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
