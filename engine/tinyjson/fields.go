package tinyjson

import (
	"reflect"
	"strings"
	"sync"
)

// field is one of a struct, or of a struct that is embedded in it.
type field struct {
	key       string
	index     []int
	omitEmpty bool
}

// fields are those of a struct, in the order they are written.
type fields struct {
	list  []field
	byKey map[string]field
}

// structs are the fields of every struct that was met, by reflect.Type.
var structs sync.Map

func fieldsOf(t reflect.Type) *fields {
	if known, ok := structs.Load(t); ok {
		return known.(*fields)
	}
	f := &fields{byKey: map[string]field{}}
	f.add(t, nil)
	structs.Store(t, f)
	return f
}

// add adds the fields of a struct that lies at an index in the outer one.
func (f *fields) add(t reflect.Type, at []int) {
	for i := range t.NumField() {
		s := t.Field(i)
		index := append(at[:len(at):len(at)], i)
		key, options, _ := strings.Cut(s.Tag.Get("json"), ",")
		switch {
		case s.Anonymous && s.Type.Kind() == reflect.Struct && key == "":
			f.add(s.Type, index)
			continue
		case !s.IsExported() || key == "-":
			continue
		case key == "":
			key = s.Name
		}
		one := field{key, index, options == "omitempty"}
		f.list = append(f.list, one)
		f.byKey[key] = one
	}
}
