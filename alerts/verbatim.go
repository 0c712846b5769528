package alerts

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
)

// A field is a field of the template.
type field struct {
	path, kind string // the type, "object" for parents
	original   string // the name of its copy in alerts; "" if there is none
	described  bool   // whether descriptions read it
	number     int    // from 0
}

// A copier copies an event's text while reading it.
type copier struct {
	source []byte
	d      *jsontext.Decoder
	event  *Event
	seen   []bool // by field.number
}

// errChange reports that an event cannot be copied unchanged.
var errChange = errors.New("something has to be changed")

// copyVerbatim builds the event from the text of its source, which is possible for most
// events. That takes a third of the time of decodeEvent. ok is false whenever the two
// might differ.
func (t template) copyVerbatim(from SourceEvent) (event *Event, ok bool) {
	if len(from.Source) == 0 || from.Missing+from.Lacks != "" || bytes.IndexByte(from.Source, '\n') >= 0 || bytes.IndexByte(from.Source, '\r') >= 0 || !utf8.Valid(from.Source) {
		return nil, false
	}
	e := &Event{
		place: from.place(), described: make(map[string]any, t.described), document: make([]byte, 0, len(from.Source)), original: make([]byte, 0, len(from.Source)/4),
	}
	c := copier{from.Source, elastic.Document(from.Source).Reader(), e, make([]bool, len(t.types))}
	if c.members(t.fields, true, c.copy) != nil || !c.isComplete(from, t) {
		return nil, false
	}
	e.ancestors, e.depth = ancestorsOf(nil, from)
	return e, true
}

// copy copies a member of the event.
func (c *copier) copy(name string, value []byte) error {
	switch {
	case isOurs(name) || isMetadata(name):
		return errChange
	case name == "@timestamp": // the alert has its own
		return nil
	case name == "event":
		var members []byte
		event := copier{source: value, d: elastic.Document(value).Reader()}
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
	c.event.document = appendMember(c.event.document, name, value)
	return nil
}

func appendMember(members []byte, name string, value []byte) []byte {
	if len(members) > 0 {
		members = append(members, ',')
	}
	members = append(append(append(members, '"'), name...), '"', ':')
	return append(members, value...)
}

// members reads the members of an object at a place. Unless each is nil, it calls each
// with the name and the text of every member. direct is false within a list.
func (c *copier) members(place *elastic.Tree[field], direct bool, each func(name string, value []byte) error) error {
	return elastic.EachMember(c.d, func(name []byte) error {
		if !isPlain(name) || bytes.IndexByte(name, '.') >= 0 {
			return errChange
		}
		at, member := place.At(name), ""
		if each != nil {
			member = string(name)
		}
		before := c.d.InputOffset()
		var err error
		if at == nil {
			err = skipNamed(c.d)
		} else if err = c.fits(at, direct); err == nil && direct {
			c.keep(at.Value, before)
		}
		if err == nil && each != nil {
			err = each(member, c.text(before))
		}
		return err
	})
}

// text returns the value read since the offset where its name ended.
func (c *copier) text(before int64) []byte {
	return bytes.TrimLeft(c.source[before:c.d.InputOffset()], ": \t")
}

// isPlain reports whether a name in JSON is certainly a valid field name.
func isPlain(name []byte) bool {
	for _, c := range name {
		if letter := c|' ' >= 'a' && c|' ' <= 'z'; !letter && c != '_' && !(c >= '0' && c <= '9') {
			return bytes.IndexByte(name, '\\') < 0 && isName(string(name))
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

// fits reads a value at a place; it must be one that decodeEvent would not change.
func (c *copier) fits(place *elastic.Tree[field], direct bool) error {
	kind := place.Value.kind
	switch is := c.d.PeekKind(); {
	case kind == "geo_point":
		point, err := elastic.Value(c.d)
		return errUnless(isPoint(point), err)
	case is == 'n' && kind != "date":
		return c.d.SkipValue()
	case is == '[' && (kind != "date" || !direct):
		return eachElement(c.d, func() error { return c.fits(place, false) })
	case is == '{' && kind == "flattened":
		value, err := c.d.ReadValue()
		return errUnless(fitsFlattened(value), err)
	case is == '{' && kind == "object":
		return c.members(place, direct, nil)
	case is == '{' || kind == "object" || kind == "flattened":
		return errChange
	case kind == "keyword" || kind == "text":
		return c.d.SkipValue()
	case kind == "date" && direct && is != '"': // the mapped field may have another format
		return errChange
	}
	value, err := elastic.Value(c.d)
	s := text(value)
	return errUnless(fitsScalar(kind, s) && (kind != "date" || !direct || isoDate.MatchString(s)), err)
}

func errUnless(fits bool, err error) error {
	if err == nil && !fits {
		err = errChange
	}
	return err
}

// keep copies the value of a field that alerts have twice or that descriptions read.
func (c *copier) keep(f field, before int64) {
	c.seen[f.number] = true
	if f.original == "" && !f.described {
		return
	}
	text := c.text(before)
	if f.original != "" && text[0] != '{' {
		c.event.original = appendMember(c.event.original, f.original, text)
	}
	switch {
	case !f.described:
	case text[0] == '"' && bytes.IndexByte(text, '\\') < 0:
		c.event.described[f.path] = string(text[1 : len(text)-1])
	default:
		c.event.described[f.path], _ = elastic.Parse(text) // fits has parsed it before
	}
}

// isComplete reports whether the source has all fields of the event.
func (c *copier) isComplete(from SourceEvent, t template) bool {
	missing := map[string]bool{}
	for path, values := range from.Fields {
		place := t.fields.At([]byte(path))
		if len(values) > 0 && !strings.HasPrefix(path, "_") && (place == nil || !c.seen[place.Value.number]) {
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
	err := unseen.In(from.Source, func(path string) { delete(missing, path) })
	return err == nil && len(missing) == 0
}

// fitsFlattened reports whether fitFlattened certainly removes nothing: no key can be
// too deep, or too long with its value.
func fitsFlattened(text []byte) bool {
	return len(text) < maxTermBytes && bytes.Count(text, []byte("{")) < maxFlattenedDepth && !bytes.Contains(text, []byte(`\u0000`))
}
