package fault

import (
	"errors"
	"fmt"
)

// Code names a fault. Codes are part of the JavaScript API (Error.code) and are
// never renamed.
type Code string

// Error is a fault that happened. Message is one sentence with the value and the
// limit; Advice is what the person can do.
type Error struct {
	Code    Code
	Message string
	Advice  string
	Cause   error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// New makes an error with the advice of its code.
func New(code Code, format string, args ...any) *Error {
	return Wrap(nil, code, format, args...)
}

// Wrap is New with a cause that errors.Is and errors.As can see.
func Wrap(cause error, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Advice: Advice(code), Cause: cause}
}

// Pass passes on the fault in err's chain, as that of a source which says by itself what is
// wrong with it, or makes of any other error one with this code, as Wrap does.
func Pass(err error, code Code, format string, args ...any) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	return Wrap(err, code, format, args...)
}

// Of finds the fault in err's chain; an error without one is Internal.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: err.Error(), Advice: Advice(Internal), Cause: err}
}

// Is reports whether err carries the given code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Advice says what to do about a fault. Unknown codes give the advice of Internal.
func Advice(code Code) string {
	if a, ok := advice[code]; ok {
		return a
	}
	return advice[Internal]
}

// Codes lists every code, in the order of the list below.
func Codes() []Code { return append([]Code(nil), codes...) }
