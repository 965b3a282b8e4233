package weights

import (
	"undertone/engine/fault"
)

// Reason says in which way a weight file cannot be used. It is the cause of the
// fault, for errors.Is: the fault tells a person what to do, the reason tells a
// program (and a test) what was found.
type Reason string

// Error begins with what kind of refusal it is: damage, something that is not
// supported here, or a limit of this program.
func (r Reason) Error() string {
	switch r.code() {
	case fault.WeightsFormat, fault.WeightsTruncated:
		return "damaged: " + string(r)
	case fault.ModelUnsupported:
		return "not supported here: " + string(r)
	case fault.WeightsLimit:
		return "over a limit of this program: " + string(r)
	}
	return string(r)
}

// The reasons.
const (
	BadMagic Reason = "not a weight file"

	// Damage: no writer makes such a file.
	Truncated  Reason = "the file is too short"
	Oversized  Reason = "the file is too long"
	BadSize    Reason = "header size out of range"
	BadText    Reason = "not valid UTF-8"
	Empty      Reason = "empty key"
	Duplicate  Reason = "duplicate name"
	BadSyntax  Reason = "malformed header"
	BadNumber  Reason = "malformed number"
	MissingKey Reason = "missing key"
	BadValue   Reason = "invalid metadata value"
	BadDims    Reason = "number of dimensions out of range"
	BadBlock   Reason = "not a whole number of blocks"
	BadAlign   Reason = "misaligned"
	Overlap    Reason = "tensors overlap"
	BadExtent  Reason = "shape and extent disagree"

	// Legal, but not for this program or not for what was asked.
	BadVersion  Reason = "unsupported version"
	UnknownKey  Reason = "unknown key"
	UnknownType Reason = "unknown type"
	BadType     Reason = "unsupported element type"
	ZeroDim     Reason = "empty dimension"
	Hole        Reason = "hole between tensors"
	Trailing    Reason = "bytes behind the last tensor"

	// Limits that keep a header from taking the memory or the time of the machine.
	TooMany  Reason = "too many entries"
	TooLarge Reason = "too large"
	TooLong  Reason = "text too long"
)

// reasonCodes has the reasons that are not simply damage.
var reasonCodes = map[Reason]fault.Code{
	Truncated: fault.WeightsTruncated, BadMagic: fault.NotWeights,
	BadVersion: fault.ModelUnsupported, UnknownKey: fault.ModelUnsupported, UnknownType: fault.ModelUnsupported,
	BadType: fault.ModelUnsupported, ZeroDim: fault.ModelUnsupported, Hole: fault.ModelUnsupported, Trailing: fault.ModelUnsupported,
	TooMany: fault.WeightsLimit, TooLarge: fault.WeightsLimit, TooLong: fault.WeightsLimit,
}

func (r Reason) code() fault.Code {
	if code, ok := reasonCodes[r]; ok {
		return code
	}
	return fault.WeightsFormat
}

func refuse(r Reason, format string, args ...any) *fault.Error {
	return fault.Wrap(r, r.code(), format, args...)
}

// unreadable passes on the fault of a source, or makes one of a plain error.
func unreadable(err error, off, n int64) error {
	return fault.Pass(err, fault.Fetch, "bytes %d to %d cannot be read", off, off+n)
}

// memory counts what is set aside for a header while it is read. Reading one may
// allocate twice its length and 1 MiB: the counts, names and values of a header
// have no other limit.
type memory struct{ spent, limit int64 }

// slack is the part of the 1 MiB that charge gives away. The rest is for buffers.
const slack = 768 << 10

// budget is what may be spent on n bytes of header.
func budget(n int64) int64 { return 2*n + slack }

// charge is asked before n bytes are set aside.
func (m *memory) charge(n int64) error {
	if n > m.limit-m.spent {
		return refuse(TooMany, "what the header describes needs more than %d bytes of memory, twice its length and %d", m.limit, int64(slack))
	}
	m.spent += n
	return nil
}
