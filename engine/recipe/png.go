package recipe

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"unicode/utf8"

	"undertone/engine/fault"
)

// Keyword names the text chunk that holds the JSON of a picture's parameters. It is
// written as iTXt, uncompressed, in UTF-8; programs that rewrite a PNG make tEXt, zTXt
// or compressed iTXt of it, so those are read too. PNG specification, third edition,
// 11.3.3.
const Keyword = "undertone"

const (
	signature = "\x89PNG\r\n\x1a\n"
	frame     = 12 // bytes of a chunk beside its data: length, type, checksum
	header    = len(signature) + frame + 13
)

// begin is what an uncompressed text chunk of ours begins with: the keyword, the
// flag and the method of compression, no language, no translated keyword.
var begin = []byte(Keyword + "\x00\x00\x00\x00\x00")

// Inflate returns what data in the zlib format holds, or an error where that is more
// than most bytes. The caller brings it: a browser has one, and Go's own would add two
// per cent to the page's program.
type Inflate func(data []byte, most int) ([]byte, error)

// maxTexts is how many chunks with our keyword are tried: a file has one, or a few
// where a program added its own to ours.
const maxTexts = 4

// WritePNG returns the PNG with the parameters in a chunk behind its header.
func WritePNG(file []byte, p Parameters) ([]byte, error) {
	if err := checkPNG(file); err != nil {
		return nil, err
	}
	data := append(bytes.Clone(begin), JSON(p)...)
	out := make([]byte, 0, len(file)+frame+len(data))
	out = append(out, file[:header]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	out = append(append(out, "iTXt"...), data...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[header+4:]))
	return append(out, file[header:]...), nil
}

// FromPNG reads the parameters in a PNG, or in its beginning if that holds the chunk.
// What is missing comes from base. Nothing is allocated but what is returned and, for
// compressed text, at most MaxJSON bytes for each of maxTexts chunks; without an inflate
// compressed text is refused. The error is of the code fault.PictureInvalid.
func FromPNG(file []byte, base Request, l Limits, inflate Inflate) (Parameters, []Notice, error) {
	out := Parameters{Request: base}
	if err := checkPNG(file); err != nil {
		return out, nil, err
	}
	var failed error // of the first chunk that could not be read
	rest := file[header:]
	for range maxTexts {
		kind, data, behind, err := find(rest)
		if err != nil {
			return out, nil, cmp.Or(failed, err)
		}
		rest = behind
		text, err := unpack(kind, data, inflate)
		if err == nil {
			p, notices, wrong := FromJSON(text, base, l)
			if wrong == nil {
				return p, notices, nil
			}
			err = wrong
		}
		failed = cmp.Or(failed, err)
	}
	return out, nil, failed
}

// checkPNG refuses what does not begin with a PNG's signature and header.
func checkPNG(file []byte) error {
	is := func(at int, magic string) bool { return len(file) >= at && bytes.HasPrefix(file[at:], []byte(magic)) }
	switch {
	case is(0, signature+"\x00\x00\x00\x0dIHDR") && len(file) >= header:
		return nil
	case len(file) == 0:
		return fault.New(fault.PictureInvalid, "the file is empty, not a PNG")
	}
	for _, known := range []struct {
		at          int
		magic, name string
	}{{0, "\xff\xd8\xff", "JPEG"}, {0, "GIF8", "GIF"}, {8, "WEBP", "WebP"}, {4, "ftypavif", "AVIF"}, {0, "<svg", "SVG"}} {
		if is(known.at, known.magic) {
			return fault.New(fault.PictureInvalid, "the file is a picture of the kind %s, not a PNG", known.name)
		}
	}
	return fault.New(fault.PictureInvalid, "the file is not a PNG")
}

// find returns the kind and the data, behind the keyword, of the next text chunk of
// ours, and what lies behind that chunk.
func find(rest []byte) (kind string, data, behind []byte, err error) {
	for len(rest) >= frame {
		length := int64(binary.BigEndian.Uint32(rest))
		if length > int64(len(rest)-frame) {
			return "", nil, nil, fault.New(fault.PictureInvalid, "the PNG ends within a chunk of %d bytes", length)
		}
		kind, data, behind = string(rest[4:8]), rest[8:8+length], rest[frame+length:]
		switch kind {
		case "iTXt", "zTXt", "tEXt":
			if text, ours := bytes.CutPrefix(data, []byte(Keyword+"\x00")); ours {
				if sum := binary.BigEndian.Uint32(rest[8+length:]); sum != crc32.ChecksumIEEE(rest[4:8+length]) {
					kind = damaged
				}
				return kind, text, behind, nil
			}
		case "IEND":
			behind = nil
		}
		rest = behind
	}
	return "", nil, nil, fault.New(fault.PictureInvalid, "the PNG holds no parameters of Undertone")
}

// damaged stands for the kind of a chunk whose checksum is wrong.
const damaged = "????"

// unpack returns the text of a chunk of ours, from what lies behind its keyword.
func unpack(kind string, data []byte, inflate Inflate) ([]byte, error) {
	short := fault.New(fault.PictureInvalid, "the text chunk of the PNG ends too early")
	compressed := kind == "zTXt"
	switch kind {
	case damaged:
		return nil, fault.New(fault.PictureInvalid, "the parameters in the PNG are damaged: their checksum is wrong")
	case "zTXt":
		if len(data) < 1 {
			return nil, short
		}
		data = data[1:] // the method; there is one
	case "iTXt":
		if len(data) < 2 {
			return nil, short
		}
		compressed = data[0] != 0
		_, behind, language := bytes.Cut(data[2:], []byte{0})
		_, text, keyword := bytes.Cut(behind, []byte{0})
		if !language || !keyword {
			return nil, short
		}
		data = text
	}
	if compressed {
		if inflate == nil {
			return nil, fault.New(fault.PictureInvalid, "the parameters in the PNG are compressed, which cannot be read here")
		}
		text, err := inflate(data, MaxJSON)
		if err != nil {
			return nil, fault.Wrap(err, fault.PictureInvalid, "the compressed parameters in the PNG are damaged, or have more than %d bytes", MaxJSON)
		}
		data = text
	}
	if kind != "iTXt" && !utf8.Valid(data) {
		return fromLatin1(data), nil
	}
	return data, nil
}

// fromLatin1 is text of the encoding that tEXt and zTXt are specified in, though not
// every program keeps to it: what is valid UTF-8 is taken as that.
func fromLatin1(text []byte) []byte {
	var out []byte
	for _, c := range text {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}
