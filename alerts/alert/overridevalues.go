package alert

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"newterms/esquery/elastic"
)

// sourceFields returns the overrides' fields in an event's source, and the parents of these. A
// source that is no object has none.
func (o Overrides) sourceFields(source elastic.Document) map[string]any {
	fields, part := o.Fields(), map[string]any{}
	d := source.Reader()
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return nil
	}
	err := elastic.Members(d, func(name string) (err error) {
		if !slices.ContainsFunc(fields, func(field string) bool { return field == name || strings.HasPrefix(field, name+".") }) {
			return d.SkipValue()
		}
		part[name], err = elastic.Value(d)
		return err
	})
	if err != nil {
		return nil
	}
	return part
}

// values returns the rule's parameters name, risk_score and severity, if an event
// overrides them. It reads the event as Kibana does: its source, with the mapped fields
// that the source lacks. Unusable values override nothing. A name must be a text. The
// risk score is the highest number from 0 to 100, and the severity the highest whose
// value the event has.
func (o Overrides) values(source map[string]any, fields map[string][]any) map[string]any {
	overrides := map[string]any{}
	if name, isText := mergedValue(source, fields, o.name).(string); isText && o.name != "" {
		overrides["name"] = name
	}
	if o.risk != "" {
		best := -1.0
		for _, value := range listed(mergedValue(source, fields, o.risk)) {
			n, ok := numberIn(value)
			if text, isText := value.(string); isText {
				n, ok = numberOf(text)
			}
			if ok && n >= 0 && n <= 100 && n > best {
				best = n
				overrides["risk_score"] = n + 0 // of -0 it is 0
			}
		}
	}
	highest := -1
	for _, m := range o.severity {
		at := slices.Index(severities(), m.severity)
		if at > highest && slices.ContainsFunc(listed(mergedValue(source, fields, m.field)), m.matches) {
			highest = at
			overrides["severity"] = m.severity
		}
	}
	return overrides
}

// matches reports whether a value of an event equals that of the mapping. Numbers must
// be whole. event.severity is a number in ECS: it is compared as one, and texts there
// never match.
func (m severityMapping) matches(value any) bool {
	n, isNumber := numberIn(value)
	if isNumber && (n != math.Trunc(n) || math.Abs(n) > maxExact) {
		return false
	}
	if m.field == "event.severity" {
		wanted, ok := numberOf(m.value)
		return isNumber && ok && n == math.Floor(wanted)
	}
	text, isText := value.(string)
	return isText && text == m.value || isNumber && strconv.FormatInt(int64(n), 10) == m.value
}

// maxExact is the largest whole number that a float64 represents exactly, as all below
// it.
const maxExact = 1<<53 - 1

// numberIn returns a number of JSON; ok is false for other values, and for numbers
// beyond a float64.
func numberIn(value any) (n float64, ok bool) {
	number, isNumber := value.(json.Number)
	if !isNumber {
		return 0, false
	}
	n, err := number.Float64()
	return n, err == nil
}

var decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// numberOf parses a number as Kibana's language does. It allows space around it, and
// reads an empty text as 0. Without a sign it may be hexadecimal, octal or binary. ok
// is false for other texts and infinite numbers.
func numberOf(text string) (n float64, ok bool) {
	text = strings.TrimFunc(text, func(r rune) bool { return r == '\ufeff' || unicode.IsSpace(r) && r != '\u0085' })
	if text == "" {
		return 0, true
	}
	if decimal.MatchString(text) {
		n, err := strconv.ParseFloat(text, 64)
		return n, err == nil
	}
	if len(text) < 2 || text[0] != '0' {
		return 0, false
	}
	base := map[byte]int{'x': 16, 'o': 8, 'b': 2}[text[1]|' ']
	if base == 0 {
		return 0, false
	}
	whole, err := strconv.ParseUint(text[2:], base, 64)
	return float64(whole), err == nil
}

func listed(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// mergedValue returns an event's value of a field, after the fields that its source
// lacks are added; nil if there is none. A dotted name within an object counts as
// present, but is not found.
func mergedValue(source map[string]any, fields map[string][]any, field string) any {
	value, values := valueAt(source, field), fields[field]
	if value != nil || !mayAdd(source, field, true) {
		return value
	}
	if len(values) == 0 { // it is not mapped, or was not fetched because the source has it
		values = valuesAnywhere(source, field)
	}
	for end := range elastic.Dots(field) {
		if len(fields[field[:end]]) > 0 { // it is a multi-field
			return nil
		}
	}
	switch values = scalars(values); len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	return values
}

// valuesAnywhere returns the values of a field, however its name is divided.
func valuesAnywhere(within any, field string) []any {
	switch v := within.(type) {
	case []any:
		var all []any
		for _, element := range v {
			all = append(all, valuesAnywhere(element, field)...)
		}
		return all
	case map[string]any:
		all := scalars(v[field])
		for end := range elastic.Dots(field) {
			all = append(all, valuesAnywhere(v[field[:end]], field[end+1:])...)
		}
		return all
	}
	return nil
}

// scalars returns the values in nested lists that are neither null nor objects.
func scalars(value any) []any {
	switch v := value.(type) {
	case nil, map[string]any:
		return nil
	case []any:
		var all []any
		for _, element := range v {
			all = append(all, scalars(element)...)
		}
		return all
	}
	return []any{value}
}

// valueAt finds a field under its whole name, or else by one part of the name after the
// other; in a list the part is a position.
func valueAt(document map[string]any, field string) any {
	value, isWhole := document[field]
	if isWhole {
		return value
	}
	value = document
	for name := range strings.SplitSeq(field, ".") {
		switch parent := value.(type) {
		case map[string]any:
			value = parent[name]
		case []any:
			at, err := strconv.Atoi(name)
			if err != nil || at < 0 || at >= len(parent) || strconv.Itoa(at) != name {
				return nil
			}
			value = parent[at]
		default:
			return nil
		}
	}
	return value
}

// mayAdd reports whether a field that a source lacks can be added where valueAt finds
// it. There must be only objects on its path, and no dotted name.
func mayAdd(document map[string]any, field string, top bool) bool {
	value, isWhole := document[field]
	if value != nil {
		return false
	}
	for end := range elastic.Dots(field) {
		switch value := document[field[:end]].(type) {
		case nil:
		case map[string]any:
			return !strings.Contains(field[:end], ".") && !(top && isWhole) && mayAdd(value, field[end+1:], false)
		default:
			return false
		}
	}
	return top || !isWhole || !strings.Contains(field, ".")
}
