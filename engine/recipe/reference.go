package recipe

import (
	"strings"

	"undertone/engine/fault"
	"undertone/engine/tinyjson"
)

// MaxReference is the longest side of a reference picture in pixels.
const MaxReference = 4096

// Reference is a picture to edit. Pixels has four bytes for each, red, green, blue and
// alpha; SHA256 is their hash in lower-case hexadecimal digits, which a result's parameters
// have in their place: a picture is known by it, and cannot be made of it.
type Reference struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	SHA256 string `json:"sha256,omitempty"`
	Pixels []byte `json:"-"`
}

// check refuses a reference that cannot be read (fault.ReferenceRefused for a model that
// reads none, else fault.RequestInvalid).
func (r *Reference) check(l Limits) error {
	switch {
	case r == nil:
		return nil
	case !l.Edits:
		return fault.New(fault.ReferenceRefused, "a reference picture of %d × %d pixels, for a model that makes pictures from words alone", r.Width, r.Height)
	case r.Width < 1 || r.Height < 1 || r.Width > MaxReference || r.Height > MaxReference:
		return fault.New(fault.RequestInvalid, "a reference picture of %d × %d pixels, supported 1 to %d a side", r.Width, r.Height, MaxReference)
	case len(r.Pixels) != 4*r.Width*r.Height:
		return fault.New(fault.RequestInvalid, "a reference picture of %d × %d pixels has %d bytes, wanted %d", r.Width, r.Height, len(r.Pixels), 4*r.Width*r.Height)
	}
	return nil
}

// reference reads what a picture says of its reference.
func (r *reader) reference(s string) *Reference {
	var ref Reference
	err := tinyjson.Unmarshal([]byte(s), &ref)
	hash := len(ref.SHA256) == 64 && strings.Trim(ref.SHA256, "0123456789abcdef") == ""
	if err != nil || !hash || !r.limits.Edits {
		r.notice(FieldReference, s, "")
		return nil
	}
	return &ref
}
