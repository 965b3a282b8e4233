package weights

import (
	"errors"

	"undertone/engine/fault"
)

// Reason says in which way a weight file breaks its format. It is the cause of
// the fault, for errors.Is: the fault tells a person what to do, the reason tells
// a program (and a test) what was found.
type Reason string

func (r Reason) Error() string { return string(r) }

// The reasons.
const (
	Truncated   Reason = "the file is too short"
	Trailing    Reason = "the file is too long"
	BadMagic    Reason = "not a weight file"
	BadVersion  Reason = "unsupported version"
	BadSize     Reason = "header size out of range"
	TooMany     Reason = "count out of range"
	TooLarge    Reason = "size out of range"
	TooLong     Reason = "text too long"
	BadText     Reason = "not valid UTF-8"
	Empty       Reason = "empty name"
	Duplicate   Reason = "duplicate name"
	BadSyntax   Reason = "malformed header"
	BadNumber   Reason = "malformed number"
	UnknownKey  Reason = "unknown key"
	MissingKey  Reason = "missing key"
	BadValue    Reason = "invalid metadata value"
	UnknownType Reason = "unknown element type"
	BadType     Reason = "unsupported element type"
	BadDims     Reason = "number of dimensions out of range"
	ZeroDim     Reason = "empty dimension"
	BadBlock    Reason = "row is not a whole number of blocks"
	BadAlign    Reason = "misaligned"
	Hole        Reason = "hole between tensors"
	Overlap     Reason = "tensors overlap"
	BadExtent   Reason = "shape and extent disagree"
)

var reasonCodes = map[Reason]fault.Code{
	Truncated: fault.WeightsTruncated, BadMagic: fault.NotWeights, BadVersion: fault.ModelUnsupported, BadType: fault.ModelUnsupported,
}

func refuse(r Reason, format string, args ...any) *fault.Error {
	code, ok := reasonCodes[r]
	if !ok {
		code = fault.WeightsFormat
	}
	return fault.Wrap(r, code, format, args...)
}

// unreadable passes on the fault of a source, or makes one of a plain error.
func unreadable(err error, off, n int64) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(err, fault.Fetch, "bytes %d to %d cannot be read", off, off+n)
}
