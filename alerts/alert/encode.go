package alert

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// membersOf encodes an object without its braces, its names sorted. It handles the
// types of decoded JSON itself: encoding/json, which encodes the rest, took four times
// as long for an event.
func membersOf(object map[string]any) ([]byte, error) {
	text, err := appendMembers(make([]byte, 0, 4<<10), object)
	return slices.Clip(text), err
}

func appendMembers(text []byte, object map[string]any) ([]byte, error) {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	var err error
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(appendString(text, name), ':')
		if text, err = appendValue(text, object[name]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

func appendValue(text []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return append(text, "null"...), nil
	case bool:
		return strconv.AppendBool(text, v), nil
	case string:
		return appendString(text, v), nil
	case json.Number: // as in the answer
		return append(text, v...), nil
	case map[string]any:
		text, err := appendMembers(append(text, '{'), v)
		return append(text, '}'), err
	case []any:
		text = append(text, '[')
		for i, element := range v {
			if i > 0 {
				text = append(text, ',')
			}
			var err error
			if text, err = appendValue(text, element); err != nil {
				return nil, err
			}
		}
		return append(text, ']'), nil
	}
	var other bytes.Buffer
	encoder := json.NewEncoder(&other)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return append(text, bytes.TrimSuffix(other.Bytes(), []byte("\n"))...), err
}

// appendString replaces invalid UTF-8 by replacement characters.
func appendString(text []byte, s string) []byte {
	text, _ = jsontext.AppendQuote(text, s) // the string is appended even with the error
	return text
}
