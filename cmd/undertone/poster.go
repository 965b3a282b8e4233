package main

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"io"
	"path/filepath"
	"strings"

	"undertone/cmd/internal/shrink"
	"undertone/engine"
	"undertone/engine/recipe"
)

// posterSide is the most pixels that a side of a poster has: <undertone-demo> shows it up to
// 352 CSS pixels wide, and sharp screens have two pixels for each.
const posterSide = 704

// posterTo is where a poster is written: a JPEG file where its name ends in .jpg or .jpeg,
// or else a PNG file.
func posterTo(name string, stdout io.Writer) (output, error) {
	ext := ".png"
	if isJPEG(name) {
		ext = filepath.Ext(name)
	}
	return outputTo("--poster", name, ext, stdout)
}

// writePoster writes a picture for <undertone-demo> to show before it is opened. Both kinds
// of files carry what made it: a PNG file as pictures do, a JPEG file as a comment that
// holds the hash of a link.
func writePoster(target output, r *engine.Result) (width, height int, err error) {
	small := *r
	small.Image = shrink.Within(posterSide, r.Image)
	width, height = small.Image.W, small.Image.H
	if !isJPEG(target.name) {
		return width, height, writePicture(target, &small)
	}
	var pixels bytes.Buffer
	if err := jpeg.Encode(&pixels, picture(small.Image), &jpeg.Options{Quality: 85}); err != nil {
		return width, height, err
	}
	file := withComment(pixels.Bytes(), recipe.Hash(r.Parameters.Request))
	return width, height, target.write(func(w io.Writer) error { _, err := w.Write(file); return err })
}

func isJPEG(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".jpg" || ext == ".jpeg"
}

// withComment puts a comment behind the start of a JPEG file: a segment of the kind COM,
// which is 65,535 bytes long at most. A longer text is left out.
func withComment(file []byte, text string) []byte {
	const start = 2 // the marker SOI
	length := 2 + len(text)
	if length > 1<<16-1 {
		return file
	}
	out := append([]byte{}, file[:start]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xfe), uint16(length))
	return append(append(out, text...), file[start:]...)
}
