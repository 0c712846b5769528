package estest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Form is a way to send a document that Elasticsearch takes.
type Form struct {
	Name        string
	ContentType string
	Body        []byte
	// Raw tells that an index which keeps the source as it was sent gives it back
	// so, which is no JSON, and Unreadable that it cannot read it itself.
	Raw, Unreadable bool
}

// Forms has a document in all forms. Its names are of letters, and its values texts
// of up to 32 characters of ASCII.
func Forms(document map[string]string) []Form {
	var members, lines []string
	cbor, smile := []byte{0xa0 + byte(len(document))}, []byte(":)\n\x00\xfa")
	for _, name := range slices.Sorted(maps.Keys(document)) {
		value := document[name]
		members = append(members, fmt.Sprintf("%q:%q", name, value))
		lines = append(lines, fmt.Sprintf("%s: %q\n", name, value))
		for _, text := range []string{name, value} {
			if len(text) < 24 {
				cbor = append(cbor, 0x60+byte(len(text)))
			} else {
				cbor = append(cbor, 0x78, byte(len(text)))
			}
			cbor = append(cbor, text...)
		}
		smile = append(append(append(append(smile, 0x7f+byte(len(name))), name...), 0x3f+byte(len(value))), value...)
	}
	smile = append(smile, 0xfb)
	plain, yaml := "{"+strings.Join(members, ",")+"}", strings.Join(lines, "")
	json, as := "application/json", func(s string) []byte { return []byte(s) }
	const mark = "\ufeff"
	utf16 := func(text string, order binary.AppendByteOrder) (body []byte) {
		for _, r := range text { // no character needs two units
			body = order.AppendUint16(body, uint16(r))
		}
		return body
	}
	utf32 := func(text string, order binary.AppendByteOrder) (body []byte) {
		for _, r := range text {
			body = order.AppendUint32(body, uint32(r))
		}
		return body
	}
	return []Form{
		{"JSON", json, as(plain), false, false},
		{"JSON over several lines", json, as(strings.ReplaceAll(plain, ",", ",\r\n\t")), false, false},
		{"JSON with a byte order mark", json, as(mark + plain), true, false},
		{"JSON with a comment", json, as(strings.Replace(plain, "{", "{ /* a comment */ ", 1)), true, false},
		{"JSON with a comment at its end", json, as(strings.Replace(plain, "{", "{ // a comment\n", 1)), true, false},
		{"JSON after a comment", json, as("/* a comment */" + plain), true, true},
		{"JSON with half a character", json, as(strings.Replace(plain, "}", ",\"x\":\"\xed\xa0\x80\"}", 1)), true, false},
		{"UTF-16, little end first", json, utf16(plain, binary.LittleEndian), true, false},
		{"UTF-16, big end first", json, utf16(plain, binary.BigEndian), true, true},
		{"UTF-16 with a byte order mark", json, utf16(mark+plain, binary.LittleEndian), true, true},
		{"UTF-32, little end first", json, utf32(plain, binary.LittleEndian), true, false},
		{"UTF-32 with a byte order mark", json, utf32(mark+plain, binary.BigEndian), true, true},
		{"YAML", "application/yaml", as("---\n" + yaml), false, false},
		{"YAML without its beginning", "application/yaml", as(yaml), true, true},
		{"YAML that looks like JSON", "application/yaml", as("{" + strings.ReplaceAll(strings.TrimSpace(yaml), "\n", ", ") + "}"), true, true},
		{"CBOR", "application/cbor", cbor, false, false},
		{"SMILE", "application/smile", smile, false, false},
	}
}

// InForm is the one of these forms that has a name.
func InForm(name string, document map[string]string) Form {
	all := Forms(document)
	return all[slices.IndexFunc(all, func(f Form) bool { return f.Name == name })]
}

// Send writes a document in a form. It is searchable after the next refresh.
func (n *Node) Send(tb TB, index, id string, f Form) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPut, "/"+index+"/_doc/"+url.PathEscape(id), bytes.NewReader(f.Body))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", f.ContentType)
	req.Header.Set("Accept", "application/json")
	res, err := n.Perform(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusCreated {
		tb.Fatal(f.Name, string(answer), err)
	}
}
