package tinyjson

import (
	"bytes"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// Reader is a type that reads itself from the text of one value. It has a name of its
// own because a program that calls the UnmarshalJSON of one type carries that of all.
type Reader interface{ ReadJSON(text string) error }

// Raw is the text of a value as it is, in this package and in encoding/json.
type Raw []byte

// MarshalJSON gives the text to encoding/json.
func (r Raw) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON takes the text of encoding/json.
func (r *Raw) UnmarshalJSON(text []byte) error {
	*r = bytes.Clone(text)
	return nil
}

// ReadJSON takes the text.
func (r *Raw) ReadJSON(text string) error {
	*r = Raw(text)
	return nil
}

// Unmarshal reads a text that holds one value into what a pointer points at. An error of
// the syntax leaves that as it was.
func Unmarshal(text []byte, into any) error {
	return whole(&reader{text: string(text)}, into)
}

// UnmarshalKnown is Unmarshal that refuses fields that the structs do not have.
func UnmarshalKnown(text []byte, into any) error {
	return whole(&reader{text: string(text), known: true}, into)
}

// UnmarshalFirst reads the value that a text begins with, and gives what stands behind.
func UnmarshalFirst(text string, into any) (rest string, err error) {
	r := &reader{text: text}
	if err := r.skip(0); err != nil {
		return "", err
	}
	rest, r.at = text[r.at:], 0
	return rest, r.value(reflect.ValueOf(into).Elem())
}

func whole(r *reader, into any) error {
	if err := r.skip(0); err != nil {
		return err
	}
	if r.space(); r.at < len(r.text) {
		return r.wrong("there is more behind the value")
	}
	r.at = 0
	return r.value(reflect.ValueOf(into).Elem())
}

// reader reads values one after the other.
type reader struct {
	text  string
	at    int  // the next byte
	known bool // fields that a struct does not have are refused
}

func (r *reader) wrong(what string) error {
	return errors.New("byte " + strconv.Itoa(r.at) + " of the JSON: " + what)
}

// value reads a value of a text whose syntax was checked.
func (r *reader) value(v reflect.Value) error {
	r.space()
	if own, ok := v.Addr().Interface().(Reader); ok {
		begin := r.at
		if err := r.skip(0); err != nil {
			return err
		}
		return own.ReadJSON(r.text[begin:r.at])
	}
	if r.take("null") {
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			v.SetZero()
		}
		return nil
	}
	next := r.text[r.at]
	switch kind := v.Kind(); {
	case kind == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return r.value(v.Elem())
	case kind == reflect.Struct && next == '{':
		return r.object(v)
	case kind == reflect.Map && next == '{':
		return r.table(v)
	case kind == reflect.Slice && next == '[':
		return r.list(v)
	case kind == reflect.String && next == '"':
		v.SetString(r.str())
		return nil
	case kind == reflect.Bool && (next == 't' || next == 'f'):
		v.SetBool(r.take("true"))
		if next == 'f' {
			r.take("false")
		}
		return nil
	case (v.CanInt() || v.CanUint() || v.CanFloat()) && (next == '-' || digit(next)):
		return r.number(v)
	}
	return r.wrong("the value does not fit a " + v.Type().String())
}

// number reads a number, which must fit: whole where the type is, and not too large.
func (r *reader) number(v reflect.Value) error {
	begin := r.at
	for r.at < len(r.text) && strings.IndexByte("0123456789+-.eE", r.text[r.at]) >= 0 {
		r.at++
	}
	text, bits := r.text[begin:r.at], v.Type().Bits()
	switch {
	case v.CanInt():
		if n, err := strconv.ParseInt(text, 10, bits); err == nil {
			v.SetInt(n)
			return nil
		}
	case v.CanUint():
		if n, err := strconv.ParseUint(text, 10, bits); err == nil {
			v.SetUint(n)
			return nil
		}
	default:
		if x, err := strconv.ParseFloat(text, bits); err == nil {
			v.SetFloat(x)
			return nil
		}
	}
	return r.wrong("the number before it does not fit a " + v.Type().String())
}

// each calls read for every element of a list or an object, whose first byte is next.
func (r *reader) each(end byte, read func() error) error {
	r.at++
	for r.space(); r.text[r.at] != end; r.space() {
		if r.text[r.at] == ',' {
			r.at++
			r.space()
		}
		if err := read(); err != nil {
			return err
		}
	}
	r.at++
	return nil
}

// key reads the key of an object's element and the colon behind it.
func (r *reader) key() string {
	key := r.str()
	r.space()
	r.at++
	return key
}

func (r *reader) list(v reflect.Value) error {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	err := r.each(']', func() error {
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
		return r.value(list.Index(list.Len() - 1))
	})
	v.Set(list)
	return err
}

func (r *reader) table(v reflect.Value) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	return r.each('}', func() error {
		key, element := r.key(), reflect.New(v.Type().Elem()).Elem()
		if err := r.value(element); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
		return nil
	})
}

func (r *reader) object(v reflect.Value) error {
	fields := fieldsOf(v.Type())
	return r.each('}', func() error {
		key := r.key()
		if f, ok := fields.byKey[key]; ok {
			return r.value(v.FieldByIndex(f.index))
		}
		if r.known {
			return r.wrong("the field " + strconv.Quote(key) + " before it is not known")
		}
		return r.skip(0)
	})
}
