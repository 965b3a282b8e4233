package recipe

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"undertone/engine"
	"undertone/engine/fault"
)

// Keyword names the text chunk (iTXt, uncompressed, UTF-8) that holds the JSON of
// a picture's parameters. PNG specification, third edition, 11.3.3.4.
const Keyword = "undertone"

const (
	signature = "\x89PNG\r\n\x1a\n"
	frame     = 12 // bytes of a chunk beside its data: length, type, checksum
	header    = len(signature) + frame + 13
)

// begin is what an uncompressed text chunk of ours begins with: the keyword, the
// flag and the method of compression, no language, no translated keyword.
var begin = []byte(Keyword + "\x00\x00\x00\x00\x00")

// WritePNG returns the PNG with the parameters in a chunk behind its header.
func WritePNG(file []byte, p engine.Parameters) ([]byte, error) {
	if !isPNG(file) {
		return nil, fault.New(fault.PictureInvalid, "the file is not a PNG")
	}
	data := append(bytes.Clone(begin), JSON(p)...)
	out := make([]byte, 0, len(file)+frame+len(data))
	out = append(out, file[:header]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	out = append(append(out, "iTXt"...), data...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[header+4:]))
	return append(out, file[header:]...), nil
}

// FromPNG reads the parameters in a PNG, or in its beginning if that holds the
// chunk. What is missing comes from base. Nothing is allocated but what is
// returned; the error is of the code fault.PictureInvalid.
func FromPNG(file []byte, base engine.Request, l Limits) (engine.Parameters, []Notice, error) {
	text, err := find(file)
	if err != nil {
		return engine.Parameters{Request: base}, nil, err
	}
	return FromJSON(text, base, l)
}

// isPNG reports whether a file begins with a PNG's signature and header.
func isPNG(file []byte) bool {
	return len(file) >= header && string(file[:len(signature)]) == signature &&
		string(file[len(signature):len(signature)+8]) == "\x00\x00\x00\x0dIHDR"
}

// find returns the text of our chunk.
func find(file []byte) ([]byte, error) {
	if !isPNG(file) {
		return nil, fault.New(fault.PictureInvalid, "the file is not a PNG")
	}
	for rest := file[header:]; len(rest) >= frame; {
		length := int64(binary.BigEndian.Uint32(rest))
		if length > int64(len(rest)-frame) {
			return nil, fault.New(fault.PictureInvalid, "the PNG ends within a chunk of %d bytes", length)
		}
		kind, data := string(rest[4:8]), rest[8:8+length]
		switch {
		case kind == "iTXt" && bytes.HasPrefix(data, []byte(Keyword+"\x00")):
			if sum := binary.BigEndian.Uint32(rest[8+length:]); sum != crc32.ChecksumIEEE(rest[4:8+length]) {
				return nil, fault.New(fault.PictureInvalid, "the parameters in the PNG are damaged: their checksum is wrong")
			}
			return unpack(data[len(Keyword)+1:])
		case kind == "IEND":
			rest = nil
			continue
		}
		rest = rest[frame+length:]
	}
	return nil, fault.New(fault.PictureInvalid, "the PNG holds no parameters of Undertone")
}

// unpack returns the text behind the keyword of an iTXt chunk.
func unpack(data []byte) ([]byte, error) {
	if len(data) < 2 || data[0] != 0 {
		return nil, fault.New(fault.PictureInvalid, "the parameters in the PNG are compressed; only plain text is read")
	}
	_, behind, language := bytes.Cut(data[2:], []byte{0})
	_, text, keyword := bytes.Cut(behind, []byte{0})
	if !language || !keyword {
		return nil, fault.New(fault.PictureInvalid, "the text chunk of the PNG ends too early")
	}
	return text, nil
}
