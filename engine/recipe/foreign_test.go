package recipe

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// TestHashInText: what texts put behind a link, as people and browsers hand it over,
// costs it nothing.
func TestHashInText(t *testing.T) {
	guided, plain := rich, base
	scaled := base
	scaled.CFG = 3.5
	oblong := Request{Steps: 1, Size: wide, CFG: 1}
	for _, q := range []Request{guided, plain, scaled, oblong} {
		hash := Hash(q)
		for _, behind := range []string{
			".", ",", ";", ":", "!", "?", ")", ").", "]", "}", ">", "\"", "'", "*", "**", "_", "~", "`", "…", "...", "—",
			"，", "。", "）", "」", "』", "”", "’", "»", "》", "】", "、", "；", "！", "？", "\u200b", "\u00a0", "\ufeff",
			"%29", "%3E", "%22", "%22%3E", "%5D", "%EF%BC%8C", "%E3%80%82", "%20", "+", "&gt;", "&gt;.", "&quot;", "&#39;", "&quot;&gt;", "%26gt%3B", "%26quot%3B)",
		} {
			got, notices, ok := FromHash(hash+behind, base, limits)
			if !ok || len(notices) != 0 || !reflect.DeepEqual(got, q) {
				t.Errorf("with %s behind it, %s\ngave %+v, %v", behind, hash, got, notices)
			}
		}
		if got, notices, ok := FromHash(strings.ReplaceAll(hash, "&", "&amp;"), base, limits); !ok || len(notices) != 0 || !reflect.DeepEqual(got, q) {
			t.Errorf("out of HTML source, %s\ngave %+v, %v", hash, got, notices)
		}
	}
}

// withChunk is a PNG with a chunk, behind its header or before its end.
func withChunk(file []byte, kind, data string, late bool) []byte {
	at := header
	if late {
		at = len(file) - frame
	}
	c := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	c = append(append(c, kind...), data...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return append(append(bytes.Clone(file[:at]), c...), file[at:]...)
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

// TestPNGRewritten: other programs keep the parameters, in every kind of text chunk.
func TestPNGRewritten(t *testing.T) {
	blank, text := smallPNG(t), string(JSON(made))
	accent := made
	accent.Prompt = "café"
	latin := strings.ReplaceAll(string(JSON(accent)), "é", "\xe9")
	for _, c := range []struct {
		name, kind, data string
		want             Parameters
	}{
		{"tEXt", "tEXt", Keyword + "\x00" + text, made},
		{"tEXt in Latin-1", "tEXt", Keyword + "\x00" + latin, accent},
		{"zTXt", "zTXt", Keyword + "\x00\x00" + deflated(text), made},
		{"zTXt in Latin-1", "zTXt", Keyword + "\x00\x00" + deflated(latin), accent},
		{"compressed iTXt", "iTXt", Keyword + "\x00\x01\x00\x00\x00" + deflated(text), made},
		{"iTXt with a language", "iTXt", Keyword + "\x00\x00\x00en\x00Undertone\x00" + text, made},
	} {
		for _, late := range []bool{false, true} {
			got, notices, err := FromPNG(withChunk(blank, c.kind, c.data, late), base, limits, inflated)
			if err != nil || len(notices) != 0 || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s, behind the picture %v: %+v, %v, %v", c.name, late, got, notices, err)
			}
		}
	}
	// What another program added in our name does not hide ours.
	ours, err := WritePNG(blank, made)
	if err != nil {
		t.Fatal(err)
	}
	several := ours
	for range maxTexts - 1 {
		several = withChunk(several, "tEXt", Keyword+"\x00by another program", false)
	}
	if got, _, err := FromPNG(several, base, limits, inflated); err != nil || !reflect.DeepEqual(got, made) {
		t.Errorf("behind %d chunks of others: %+v, %v", maxTexts-1, got, err)
	}
	if _, _, err := FromPNG(withChunk(several, "tEXt", Keyword+"\x00one more", false), base, limits, inflated); !fault.Is(err, fault.PictureInvalid) {
		t.Errorf("behind %d chunks of others: %v", maxTexts, err)
	}
	packed := withChunk(blank, "zTXt", Keyword+"\x00\x00"+deflated(text), false)
	if _, _, err := FromPNG(packed, base, limits, nil); !fault.Is(err, fault.PictureInvalid) || !strings.Contains(err.Error(), "compressed") {
		t.Errorf("without a way to decompress: %v", err)
	}
}

// TestFilesOfOthers names what was chosen in the place of a PNG.
func TestFilesOfOthers(t *testing.T) {
	for says, file := range map[string]string{
		"empty": "", "kind JPEG": "\xff\xd8\xff\xe0\x00\x10JFIF", "kind GIF": "GIF89a", "kind WebP": "RIFF\x10\x00\x00\x00WEBPVP8 ",
		"kind AVIF": "\x00\x00\x00\x1cftypavif", "kind SVG": "<svg xmlns", "is not a PNG": "a text",
	} {
		if _, _, err := FromPNG([]byte(file), base, limits, inflated); !fault.Is(err, fault.PictureInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, wanted %q", file, err, says)
		}
	}
}
