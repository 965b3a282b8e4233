package weights

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// costlyHeaders are files whose headers make a parser pay most per byte.
func costlyHeaders() map[string][]byte {
	const tensors, pairs = 16384, 50000
	var infos, broken, numbers, words, nested, strs, described, metas bytes.Buffer
	for i := range tensors {
		name := fmt.Sprintf("%x", i)
		infos.Write(info(name, 24, uint64(32*i), 1))
		broken.Write(info(name, 24, 0, 1, 1, 1, 1)) // the second overlaps the first
		if i > 0 {
			described.WriteByte(',')
		}
		fmt.Fprintf(&described, `"%x":{"dtype":"I8","shape":[],"data_offsets":[%d,%d]}`, i, i, i+1)
	}
	for i := range pairs {
		numbers.Write(pair(fmt.Sprintf("%x", i), 0, uint8(1)))
		words.Write(pair(fmt.Sprintf("%x", i), 8, str("x")))
		if i > 0 {
			metas.WriteByte(',')
		}
		fmt.Fprintf(&metas, `"%x":"x"`, i)
	}
	for range 1 << 17 {
		strs.Write(raw(str("ab")))
		nested.Write(raw(uint32(0), uint64(1), uint8(1)))
	}
	long := strings.Repeat("x", 1<<20)
	texts := `"a":"` + long + `","b":"\t` + long + `","c":"\t` + long + long + `"`
	return map[string][]byte{
		"GGUF, tensors":            gguf(tensors, 0, 32*tensors, infos.Bytes()),
		"GGUF, no data":            gguf(tensors, 0, 0, infos.Bytes()),
		"GGUF, second bad":         gguf(tensors, 0, 0, broken.Bytes()),
		"GGUF, unknown types":      gguf(tensors, 0, 0, bytes.ReplaceAll(infos.Bytes(), raw(uint32(24), uint64(0)), raw(uint32(99), uint64(0)))),
		"GGUF, many tensors":       gguf(10*tensors, 0, 0, bytes.Repeat(infos.Bytes(), 10)),
		"GGUF, pairs":              gguf(0, pairs, 0, numbers.Bytes()),
		"GGUF, texts":              gguf(0, pairs, 0, words.Bytes()),
		"GGUF, pairs and tensors":  gguf(tensors, pairs, 0, numbers.Bytes(), infos.Bytes()),
		"GGUF, strings":            gguf(0, 1, 0, pair("k", 9, uint32(8), uint64(1<<17)), strs.Bytes()),
		"GGUF, strings missing":    gguf(0, 1, 0, pair("k", 9, uint32(8), uint64(1<<18)), strs.Bytes()),
		"GGUF, arrays in an array": gguf(0, 1, 0, pair("k", 9, uint32(9), uint64(1<<17)), nested.Bytes()),
		"GGUF, empty arrays":       gguf(0, 1, 0, pair("k", 9, uint32(9), uint64(1<<19)), make([]byte, 12<<19)),
		"GGUF, a long text":        gguf(0, 1, 0, pair("k", 8, str(strings.Repeat("x", 8<<20)))),
		"GGUF, a long name":        gguf(1, 0, 0, info(strings.Repeat("x", 8<<20), 0, 0, 2)),
		"GGUF, numbers":            gguf(0, 1, 0, pair("k", 9, uint32(12), uint64(1<<20)), make([]byte, 8<<20)),
		"safetensors, tensors":     safe("{"+described.String()+"}", tensors),
		"safetensors, no data":     safe("{"+described.String()+"}", 0),
		"safetensors, same name":   safe("{"+strings.Repeat(one+",", 100000)+one+"}", 8),
		"safetensors, pairs":       safe(`{"__metadata__":{`+metas.String()+"}}", 0),
		"safetensors, both":        safe(`{"__metadata__":{`+metas.String()+"},"+described.String()+"}", tensors),
		"safetensors, texts":       safe(`{"__metadata__":{`+texts+`}}`, 0),
		"safetensors, a long name": safe(`{"`+long+`":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 7),
		"safetensors, dimensions":  safe(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 1<<20)+`2],"data_offsets":[0,8]}}`, 8),
		"safetensors, escapes":     safe(`{"`+strings.Repeat(`\n`, 1<<20)+`":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8),
		"safetensors, colons":      safe(`{`+strings.Repeat(":", 1<<20), 0),
		"safetensors, spaces":      safe("{}"+strings.Repeat(" ", 8<<20), 0),
	}
}

// Whether a header is accepted or not, reading it allocates at most twice its size and
// 1 MiB.
func TestHeaderMemoryIsBounded(t *testing.T) {
	for name, file := range costlyHeaders() {
		var err error
		used, limit := allocated(func() { _, err = Survey(bytes.NewReader(file)) }), uint64(2*len(file)+1<<20)
		if used > limit {
			t.Errorf("%s: allocated %d bytes for a file of %d, at most %d (%.200v)", name, used, len(file), limit, err)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}

// The same limit holds for a manifest.
func TestManifestMemoryIsBounded(t *testing.T) {
	good := string(tinyModel(t)["model.json"])
	old := string(version1(t, tinyModel(t)))
	hash := strings.Repeat("a", 64)
	list := func(element string, n int) string { return strings.TrimSuffix(strings.Repeat(element+",", n), ",") }
	for name, text := range map[string]string{
		"pieces":     strings.Replace(good, `"pieces":["`, `"pieces":[`+list(`"`+hash+`"`, 3700)+`,"`, 1),
		"words":      strings.Replace(good, `"objects":null`, `"objects":[`+list(`"ab"`, maxList)+`]`, 1),
		"all words":  strings.NewReplacer(`":null`, `":[`+list(`"ab"`, maxList)+`]`).Replace(good),
		"sizes":      strings.Replace(good, `"sizes":[`, `"sizes":[`+list("64", maxList-1)+`,`, 1),
		"presets":    strings.Replace(good, `"presets":[`, `"presets":[`+list("{}", maxList-1)+`,`, 1),
		"files":      strings.Replace(good, `"files":[`, `"files":[`+list("{}", maxList-5)+`,`, 1),
		"raw":        strings.Replace(good, `{"hidden_size":64}`, `{"x":[`+list(`[`+list("0", maxList)+`]`, 120)+`]}`, 1),
		"white":      good + strings.Repeat(" ", maxManifest-len(good)),
		"components": strings.Replace(good, `"components":[`, `"components":[`+list("{}", maxList-4)+`,`, 1),
		"old, raw":   strings.Replace(old, `"layout":"clip"`, `"layout":"clip","x":[`+list(`[`+list("0", maxList)+`]`, 120)+`]`, 1),
		"raw, bogus": strings.Replace(good, `{"hidden_size":64}`, `[`+list(`[`+list(`{}`, maxList)+`]`, 80)+`]`, 1),
	} {
		if text == good {
			t.Fatalf("%s: nothing was replaced", name)
		}
		var err error
		if len(text) > maxManifest {
			t.Fatalf("%s: %d bytes", name, len(text))
		}
		used, limit := allocated(func() { _, err = ParseManifest([]byte(text)) }), uint64(2*len(text)+1<<20)
		if used > limit {
			t.Errorf("manifest, %s: allocated %d bytes for %d, at most %d (%v)", name, used, len(text), limit, err)
		}
	}
}
