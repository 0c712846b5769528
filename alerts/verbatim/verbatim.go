// Package verbatim copies the text of an event into an alert without decoding it. That
// takes a third of the time, and is possible for most events. An alert of copied text
// equals one of the decoded event; a test compares them.
package verbatim

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
)

// A Copier copies events. It is safe for concurrent use.
type Copier struct {
	fields            *elastic.Tree[field] // that alerts map
	number, described int                  // of these, and of those that descriptions read
}

// A field is a field that alerts map.
type field struct {
	path, kind string // the type, "object" for parents
	copied     string // the field with a copy of it; "" if there is none
	described  bool   // whether descriptions read it
	number     int    // from 0
}

// NewCopier returns a copier that decodes the values of some fields, for descriptions.
func NewCopier(described []string) *Copier {
	c := &Copier{fields: new(elastic.Tree[field]), described: len(described)}
	for path, kind := range fields.OfEvents() {
		c.fields.Make(path).Value = field{path, kind, fields.Copied(path), slices.Contains(described, path), c.number}
		c.number++
	}
	return c
}

// An Event is the part of an event that alerts keep. Document and Copies are members of
// a JSON object, without its braces. Document has the event's fields, without @timestamp
// and event.kind, which the alert has itself. Copies has the fields that fields.Copied
// names.
type Event struct {
	Document, Copies []byte
	Described        map[string]any // the values of the described fields
}

// A reader copies an event's text while reading it.
type reader struct {
	source []byte
	d      *jsontext.Decoder
	event  Event
	seen   []bool // by field.number
}

// errChange reports that an event cannot be copied unchanged.
var errChange = errors.New("something has to be changed")

// Copy copies an event from its source. mapped are the event's mapped fields: the source
// must have all of them. ok is false whenever the decoded event might make another alert.
func (c *Copier) Copy(source []byte, mapped map[string][]any) (event Event, ok bool) {
	if len(source) == 0 || bytes.IndexByte(source, '\n') >= 0 || bytes.IndexByte(source, '\r') >= 0 || !utf8.Valid(source) {
		return Event{}, false
	}
	e := Event{make([]byte, 0, len(source)), make([]byte, 0, len(source)/4), make(map[string]any, c.described)}
	r := reader{source, elastic.Document(source).Reader(), e, make([]bool, c.number)}
	ok = r.members(c.fields, true, r.copy) == nil && r.hasAll(c.fields, mapped)
	return r.event, ok
}

// copy copies a member of the event.
func (r *reader) copy(name string, value []byte) error {
	switch {
	case fields.IsOwn(name) || fields.IsMetadata(name):
		return errChange
	case name == "@timestamp": // the alert has its own
		return nil
	case name == "event":
		var members []byte
		event := reader{source: value, d: elastic.Document(value).Reader()}
		err := event.members(nil, false, func(name string, value []byte) error {
			if name != "kind" { // the alert has its own
				members = appendMember(members, name, value)
			}
			return nil
		})
		if err != nil {
			return err
		}
		value = slices.Concat([]byte("{"), members, []byte("}"))
	}
	r.event.Document = appendMember(r.event.Document, name, value)
	return nil
}

func appendMember(members []byte, name string, value []byte) []byte {
	if len(members) > 0 {
		members = append(members, ',')
	}
	members = append(append(append(members, '"'), name...), '"', ':')
	return append(members, value...)
}

// members reads the members of an object, whose mapped fields are below node. Unless
// each is nil, it calls each with the name and the text of every member. direct is false
// within a list.
func (r *reader) members(node *elastic.Tree[field], direct bool, each func(name string, value []byte) error) error {
	return elastic.EachMember(r.d, func(name []byte) error {
		if !isPlain(name) || bytes.IndexByte(name, '.') >= 0 {
			return errChange
		}
		at, member := node.At(name), ""
		if each != nil {
			member = string(name)
		}
		before := r.d.InputOffset()
		var err error
		if at == nil {
			err = skipNamed(r.d)
		} else if err = r.fits(at, direct); err == nil && direct {
			r.keep(at.Value, before)
		}
		if err == nil && each != nil {
			err = each(member, r.text(before))
		}
		return err
	})
}

// text returns the value read since the offset where its name ended.
func (r *reader) text(before int64) []byte {
	return bytes.TrimLeft(r.source[before:r.d.InputOffset()], ": \t")
}

// isPlain reports whether a name in JSON is certainly a valid field name.
func isPlain(name []byte) bool {
	for _, c := range name {
		if letter := c|' ' >= 'a' && c|' ' <= 'z'; !letter && c != '_' && !(c >= '0' && c <= '9') {
			return bytes.IndexByte(name, '\\') < 0 && fields.IsName(string(name))
		}
	}
	return len(name) > 0
}

// skipNamed skips a value; all names in it must be valid.
func skipNamed(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '{':
		return elastic.EachMember(d, func(name []byte) error {
			if !isPlain(name) {
				return errChange
			}
			return skipNamed(d)
		})
	case '[':
		return eachElement(d, func() error { return skipNamed(d) })
	}
	return d.SkipValue()
}

func eachElement(d *jsontext.Decoder, read func() error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	return elastic.Elements(d, read)
}

// fits reads the value of a mapped field; decoding must not change it.
func (r *reader) fits(node *elastic.Tree[field], direct bool) error {
	kind := node.Value.kind
	switch is := r.d.PeekKind(); {
	case kind == "geo_point":
		point, err := elastic.Value(r.d)
		return errUnless(fields.Fits(kind, point), err)
	case is == 'n' && kind != "date":
		return r.d.SkipValue()
	case is == '[' && (kind != "date" || !direct):
		return eachElement(r.d, func() error { return r.fits(node, false) })
	case is == '{' && kind == "flattened":
		value, err := r.d.ReadValue()
		return errUnless(fields.FitsFlattened(value), err)
	case is == '{' && kind == "object":
		return r.members(node, direct, nil)
	case is == '{' || kind == "object" || kind == "flattened":
		return errChange
	case kind == "keyword" || kind == "text":
		return r.d.SkipValue()
	case kind == "date" && direct && is != '"': // the mapped field may have another format
		return errChange
	}
	value, err := elastic.Value(r.d)
	date, _ := value.(string)
	return errUnless(fields.Fits(kind, value) && (kind != "date" || !direct || fields.IsISODate(date)), err)
}

func errUnless(fits bool, err error) error {
	if err == nil && !fits {
		err = errChange
	}
	return err
}

// keep copies the value of a field that alerts have twice or that descriptions read.
func (r *reader) keep(f field, before int64) {
	r.seen[f.number] = true
	if f.copied == "" && !f.described {
		return
	}
	text := r.text(before)
	if f.copied != "" && text[0] != '{' {
		r.event.Copies = appendMember(r.event.Copies, f.copied, text)
	}
	switch {
	case !f.described:
	case text[0] == '"' && bytes.IndexByte(text, '\\') < 0:
		r.event.Described[f.path] = string(text[1 : len(text)-1])
	default:
		r.event.Described[f.path], _ = elastic.Parse(text) // fits has parsed it before
	}
}

// hasAll reports whether the source has all mapped fields of the event.
func (r *reader) hasAll(known *elastic.Tree[field], mapped map[string][]any) bool {
	missing := map[string]bool{}
	for path, values := range mapped {
		node := known.At([]byte(path))
		if len(values) > 0 && !strings.HasPrefix(path, "_") && (node == nil || !r.seen[node.Value.number]) {
			missing[path] = true
		}
	}
	if len(missing) == 0 {
		return true
	}
	var unseen elastic.Tree[string]
	for path := range missing {
		unseen.Make(path).Value = path
	}
	err := unseen.In(r.source, func(path string) { delete(missing, path) })
	return err == nil && len(missing) == 0
}
