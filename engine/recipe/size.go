package recipe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"undertone/engine/tinyjson"
)

// Size is that of a picture in pixels, or of a video. As JSON it is the side of a
// square, [width, height], or [width, height, frames].
type Size struct {
	Width, Height int
	Frames        int // of a video; 0: a picture
}

// Square is the size of a square picture.
func Square(side int) Size { return Size{Width: side, Height: side} }

// String is 512 for a square, 512x384 for any other picture and 512x384x17 for a video
// of 17 frames.
func (s Size) String() string {
	if s.Width == s.Height && s.Frames == 0 {
		return strconv.Itoa(s.Width)
	}
	text := fmt.Sprintf("%dx%d", s.Width, s.Height)
	if s.Frames != 0 {
		text += "x" + strconv.Itoa(s.Frames)
	}
	return text
}

// ParseSize reads what String writes.
func ParseSize(text string) (Size, error) {
	wrong := errors.New(fmt.Sprintf("size %.40q, wanted a number of pixels such as 512, or WIDTHxHEIGHT such as 512x384", text)) // fmt.Errorf is 4 kB of the page
	var n []int
	for part := range strings.SplitSeq(text, "x") {
		v, err := strconv.Atoi(part)
		if err != nil || len(n) == 3 {
			return Size{}, wrong
		}
		n = append(n, v)
	}
	if len(n) == 1 {
		return Square(n[0]), nil
	}
	s, ok := sizeOf(n)
	if !ok {
		return Size{}, wrong
	}
	return s, nil
}

// sizeOf is the size that a list of two or three numbers tells. A video has frames.
func sizeOf(n []int) (s Size, ok bool) {
	switch {
	case len(n) == 2:
		return Size{Width: n[0], Height: n[1]}, true
	case len(n) == 3 && n[2] > 0:
		return Size{n[0], n[1], n[2]}, true
	}
	return s, false
}

// AppendJSON writes a number or a list of two or three.
func (s Size) AppendJSON(out []byte) []byte {
	if s.Width == s.Height && s.Frames == 0 {
		return strconv.AppendInt(out, int64(s.Width), 10)
	}
	out = strconv.AppendInt(append(out, '['), int64(s.Width), 10)
	out = strconv.AppendInt(append(out, ','), int64(s.Height), 10)
	if s.Frames != 0 {
		out = strconv.AppendInt(append(out, ','), int64(s.Frames), 10)
	}
	return append(out, ']')
}

// MarshalJSON is AppendJSON for encoding/json.
func (s Size) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

// ReadJSON reads a number or a list of two or three.
func (s *Size) ReadJSON(text string) error {
	var side int
	if tinyjson.Unmarshal([]byte(text), &side) == nil {
		if text != "null" { // which changes nothing, as in a number
			*s = Square(side)
		}
		return nil
	}
	var list []int
	if tinyjson.Unmarshal([]byte(text), &list) == nil {
		if size, ok := sizeOf(list); ok {
			*s = size
			return nil
		}
	}
	return errors.New(fmt.Sprintf("the size is %.40s, wanted a whole number, [width, height] or [width, height, frames]", text))
}

// UnmarshalJSON is ReadJSON for encoding/json.
func (s *Size) UnmarshalJSON(text []byte) error { return s.ReadJSON(string(text)) }
