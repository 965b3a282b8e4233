package tinyjson

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Appender is a type that writes itself, as one valid value without white space.
type Appender interface{ AppendJSON(out []byte) []byte }

// Marshal writes a value as encoding/json does: <, > and & are escaped in strings. A
// number that is not finite is an error.
func Marshal(v any) ([]byte, error) { return write(nil, reflect.ValueOf(v)) }

func write(out []byte, v reflect.Value) (_ []byte, err error) {
	if own, ok := v.Interface().(Appender); ok {
		return own.AppendJSON(out), nil
	}
	switch kind := v.Kind(); {
	case kind == reflect.Struct:
		return writeStruct(out, v)
	case kind == reflect.String:
		return writeString(out, v.String()), nil
	case kind == reflect.Bool:
		return strconv.AppendBool(out, v.Bool()), nil
	case v.CanInt():
		return strconv.AppendInt(out, v.Int(), 10), nil
	case v.CanUint():
		return strconv.AppendUint(out, v.Uint(), 10), nil
	case v.CanFloat():
		return writeFloat(out, v.Float(), v.Type().Bits())
	case kind != reflect.Pointer && kind != reflect.Slice:
		return nil, errors.New("a " + v.Type().String() + " cannot be written as JSON")
	case v.IsNil():
		return append(out, "null"...), nil
	case kind == reflect.Pointer:
		return write(out, v.Elem())
	}
	out = append(out, '[')
	for i := range v.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = write(out, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func writeStruct(out []byte, v reflect.Value) (_ []byte, err error) {
	before := byte('{')
	for _, f := range fieldsOf(v.Type()).list {
		value := v.FieldByIndex(f.index)
		if f.omitEmpty && empty(value) {
			continue
		}
		out = append(writeString(append(out, before), f.key), ':')
		if out, err = write(out, value); err != nil {
			return nil, err
		}
		before = ','
	}
	if before == '{' {
		out = append(out, '{')
	}
	return append(out, '}'), nil
}

// empty is what the option omitempty leaves out.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		return false
	case reflect.Slice:
		return v.Len() == 0
	}
	return v.IsZero()
}

// writeFloat writes the shortest decimal, with an exponent where that is far from zero.
func writeFloat(out []byte, x float64, bits int) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, errors.New("a number that is not finite cannot be written as JSON")
	}
	small, large := 1e-6, 1e21
	if bits == 32 {
		small, large = float64(float32(small)), float64(float32(large))
	}
	size := math.Abs(x)
	if size == 0 || size >= small && size < large {
		return strconv.AppendFloat(out, x, 'f', -1, bits), nil
	}
	out = strconv.AppendFloat(out, x, 'e', -1, bits)
	if n := len(out); n >= 4 && string(out[n-4:n-1]) == "e-0" { // e-09 is written e-9
		out = append(out[:n-2], out[n-1])
	}
	return out, nil
}

const hex = "0123456789abcdef"

func writeString(out []byte, s string) []byte {
	out = append(out, '"')
	for i, c := range s {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"): // no UTF-8
			out = append(out, `\ufffd`...)
		case c >= ' ' && c != '<' && c != '>' && c != '&' && c != '\u2028' && c != '\u2029':
			out = utf8.AppendRune(out, c)
		case c == '\b':
			out = append(out, `\b`...)
		case c == '\f':
			out = append(out, `\f`...)
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		default:
			out = append(out, '\\', 'u', hex[c>>12], hex[c>>8&15], hex[c>>4&15], hex[c&15])
		}
	}
	return append(out, '"')
}
