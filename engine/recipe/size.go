package recipe

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Size is that of a picture in pixels. As JSON it is the side of a square, or
// [width, height].
type Size struct{ Width, Height int }

// Square is the size of a square picture.
func Square(side int) Size { return Size{side, side} }

// String is 512 for a square and 512x384 for any other size.
func (s Size) String() string {
	if s.Width == s.Height {
		return strconv.Itoa(s.Width)
	}
	return fmt.Sprintf("%dx%d", s.Width, s.Height)
}

// ParseSize reads what String writes.
func ParseSize(text string) (Size, error) {
	width, height, both := strings.Cut(text, "x")
	if !both {
		height = width
	}
	var s Size
	for _, side := range []struct {
		text string
		at   *int
	}{{width, &s.Width}, {height, &s.Height}} {
		var err error
		if *side.at, err = strconv.Atoi(side.text); err != nil {
			return Size{}, fmt.Errorf("size %.40q, wanted a number of pixels such as 512, or WIDTHxHEIGHT such as 512x384", text)
		}
	}
	return s, nil
}

// MarshalJSON writes a number or a list of two.
func (s Size) MarshalJSON() ([]byte, error) {
	if s.Width == s.Height {
		return json.Marshal(s.Width)
	}
	return json.Marshal([]int{s.Width, s.Height})
}

// UnmarshalJSON reads a number or a list of two.
func (s *Size) UnmarshalJSON(text []byte) error {
	var side int
	if json.Unmarshal(text, &side) == nil {
		if string(text) != "null" { // which changes nothing, as in a number
			*s = Square(side)
		}
		return nil
	}
	var sides []int
	if json.Unmarshal(text, &sides) != nil || len(sides) != 2 {
		return fmt.Errorf("the size is %.40s, wanted a whole number or [width, height]", text)
	}
	*s = Size{sides[0], sides[1]}
	return nil
}
