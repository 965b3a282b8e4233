package recipe

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// A size is written in one way, as JSON and as text, and read from every way.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		size       Size
		json, text string
	}{
		{Square(512), "512", "512"}, {Size{512, 384, 0}, "[512,384]", "512x384"}, {Size{16, 4096, 0}, "[16,4096]", "16x4096"},
		{Size{}, "0", "0"}, {Square(math.MaxInt), "9223372036854775807", "9223372036854775807"}, {Size{-1, 1, 0}, "[-1,1]", "-1x1"},
		{Size{512, 384, 17}, "[512,384,17]", "512x384x17"}, {Size{64, 64, 1}, "[64,64,1]", "64x64x1"},
	} {
		text, err := json.Marshal(c.size)
		if err != nil || string(text) != c.json || c.size.String() != c.text {
			t.Errorf("%#v is written as %s and %s: %v", c.size, text, c.size, err)
		}
		var got Size
		if err := json.Unmarshal([]byte(c.json), &got); err != nil || got != c.size {
			t.Errorf("%s is read as %#v: %v", c.json, got, err)
		}
		if got, err := ParseSize(c.text); err != nil || got != c.size {
			t.Errorf("%s is read as %#v: %v", c.text, got, err)
		}
	}
	var got Size
	if err := json.Unmarshal([]byte(" [ 512 , 512 ] "), &got); err != nil || got != Square(512) {
		t.Errorf("[512, 512] is read as %#v: %v", got, err)
	}
	if err := json.Unmarshal([]byte("null"), &got); err != nil || got != Square(512) {
		t.Errorf("null makes %#v of 512: %v", got, err)
	}
	if got, err := ParseSize("512x512"); err != nil || got != Square(512) {
		t.Errorf("512x512 is read as %#v: %v", got, err)
	}
	for _, bad := range []string{`"512"`, "512.5", "[512]", "[]", "[512,384,0]", "[512,384,-1]", "[512,384,17,1]", "[512,384.5]", `[512,"384"]`, "[512,[384]]", "{}", "true", "9223372036854775808", "[" + strings.Repeat("1,", 1000) + "1]"} {
		got := Size{1, 2, 3}
		if err := json.Unmarshal([]byte(bad), &got); err == nil || got != (Size{1, 2, 3}) || len(err.Error()) > 200 {
			t.Errorf("%.40s is read as %#v: %v", bad, got, err)
		}
	}
	for _, bad := range []string{"", "x", "512x", "x384", "512x384x", "512x384x0", "512x384x17x1", "512×384", "512 x 384", "512.5", "512,384", "9223372036854775808", strings.Repeat("1", 1000)} {
		if got, err := ParseSize(bad); err == nil || got != (Size{}) || len(err.Error()) > 200 {
			t.Errorf("%.40q is read as %#v: %v", bad, got, err)
		}
	}
}
