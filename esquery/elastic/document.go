package elastic

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient returns options that accept all JSON from Elasticsearch, whatever is in a
// document.
func lenient() jsonv2.Options {
	return jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// decode decodes an answer in one pass. In values of any type it keeps all digits of
// numbers, as json.Number.
func decode(text []byte, into any) error {
	return jsonv2.Unmarshal(text, into, lenient(), jsonv2.MatchCaseInsensitiveNames(true), jsonv2.WithUnmarshalers(jsonv2.UnmarshalFromFunc(func(d *jsontext.Decoder, value *any) (err error) {
		*value, err = Value(d)
		return err
	})))
}

// A Document is the text of a JSON object, or nil.
type Document []byte

// UnmarshalJSONFrom is of json/v2. Values other than objects become nil.
func (t *Document) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	text, err := d.ReadValue()
	if *t = nil; text.Kind() == '{' {
		*t = slices.Clone(Document(text))
	}
	return err
}

// Reader returns a decoder of the document.
func (t Document) Reader() *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(t), lenient())
}

// Parse decodes a value like Value.
func Parse(text []byte) (any, error) { return Value(Document(text).Reader()) }

// EachMember reads the next value, an object. It calls read with each member's name;
// read must read the value. The name is as written, with escapes but without quotes,
// and only valid until then.
func EachMember(d *jsontext.Decoder, read func(name []byte) error) error {
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return cmp.Or(err, errors.New("an object is missing"))
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		if err := read(name[1 : len(name)-1]); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// Fields are values by the name of the field, as a search returns them.
type Fields map[string][]any

// UnmarshalJSONFrom is of json/v2.
func (f *Fields) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := Value(d)
	object, _ := value.(map[string]any)
	*f = make(Fields, len(object))
	for name, value := range object {
		(*f)[name], _ = value.([]any)
	}
	return err
}

// Value decodes the next value: objects into map[string]any, lists into []any and
// numbers into json.Number.
func Value(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case '{':
		object := map[string]any{}
		err := Members(d, func(name string) (err error) {
			object[name], err = Value(d)
			return err
		})
		return object, err
	case '[':
		list := []any{}
		err := Elements(d, func() error {
			value, err := Value(d)
			list = append(list, value)
			return err
		})
		return list, err
	}
	return nil, errors.New("a value is missing")
}

// Members reads the rest of an object, after its beginning. It calls read with each
// name; read must read the value.
func Members(d *jsontext.Decoder, read func(name string) error) error {
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := read(token.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// Elements reads the rest of a list, after its beginning. read must read one element.
func Elements(d *jsontext.Decoder, read func() error) error {
	for d.PeekKind() != ']' {
		if err := read(); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// Lookup returns the value at a dotted path. Documents hold the fields of an object
// nested, dotted, or both: {"user": {"id": 1}, "user.name": "x"}.
func Lookup(document map[string]any, path string) (value any, ok bool) {
	if value, ok := document[path]; ok {
		return value, true
	}
	for end := range Dots(path) {
		child, ok := document[path[:end]].(map[string]any)
		if !ok {
			continue
		}
		if value, ok := Lookup(child, path[end+1:]); ok {
			return value, true
		}
	}
	return nil, false
}

// Put sets the value at a dotted path, nested. It makes the objects that are missing, and
// replaces what is in the place of one.
func Put(document map[string]any, path string, value any) {
	name, rest, isNested := strings.Cut(path, ".")
	if !isNested {
		document[name] = value
		return
	}
	child, ok := document[name].(map[string]any)
	if !ok {
		child = map[string]any{}
		document[name] = child
	}
	Put(child, rest, value)
}

// Number returns a number as an int64, or else as a float64; as text if it is neither.
func Number(n json.Number) any {
	if whole, err := n.Int64(); err == nil {
		return whole
	}
	if fraction, err := n.Float64(); err == nil {
		return fraction
	}
	return n.String()
}

// Dots yields the positions of a path's dots.
func Dots(path string) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range len(path) {
			if path[i] == '.' && !yield(i) {
				return
			}
		}
	}
}

// HasValueAt reports whether the path, or a part of it from the left, has a value that
// is no object.
func HasValueAt(document map[string]any, path string) bool {
	if _, ok := Lookup(document, path); ok {
		return true
	}
	for end := range Dots(path) {
		if value, ok := Lookup(document, path[:end]); ok {
			if _, isObject := value.(map[string]any); !isObject {
				return true
			}
		}
	}
	return false
}
