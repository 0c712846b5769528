package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"newterms/esquery/elastic"
	"newterms/job/rule/textfile"
)

// decodeLines reads an export with an object on each line. It reads the other lines
// even if one is invalid.
func decodeLines(path, text string) ([]Document, error) {
	var documents []Document
	var problems []error
	line := 0
	for one := range strings.Lines(text) {
		one = strings.TrimPrefix(one, textfile.ByteOrderMark) // concatenated files have one in the middle
		if line++; strings.TrimSpace(one) == "" {
			continue
		}
		table, err := decodeObject(json.NewDecoder(strings.NewReader(one)))
		d := Document{Path: path, Line: line, Table: table, Text: one}
		if err == nil {
			documents, err = appendDocument(documents, d)
		}
		if err != nil {
			problems = append(problems, &Error{d.Place(), err})
		}
	}
	return documents, errors.Join(problems...)
}

// decodeJSON reads a rule in the form of Kibana's API, a list of them, or objects one
// after the other.
func decodeJSON(path, text string) ([]Document, error) {
	var documents []Document
	decoder := json.NewDecoder(strings.NewReader(text))
	inList := strings.HasPrefix(strings.TrimSpace(text), "[")
	if inList {
		if _, err := decoder.Token(); err != nil {
			return nil, errors.Join(&Error{path, err})
		}
	}
	refuse := func(err error) ([]Document, error) {
		return documents, errors.Join(&Error{fmt.Sprintf("%s line %d", path, 1+strings.Count(text[:decoder.InputOffset()], "\n")), err})
	}
	for first := true; !inList || decoder.More(); first = false {
		start := nextValue(text, int(decoder.InputOffset()))
		table, err := decodeObject(decoder)
		if errors.Is(err, io.EOF) && !inList && !first {
			break
		}
		if err != nil {
			return refuse(err)
		}
		d := Document{Path: path, Table: table, Text: text}
		if end := decoder.InputOffset(); inList || !first || strings.TrimSpace(text[end:]) != "" {
			d.Line, d.Text = 1+strings.Count(text[:start], "\n"), text[start:end]
		}
		if documents, err = appendDocument(documents, d); err != nil {
			return refuse(err)
		}
	}
	return documents, nil
}

// nextValue returns the offset of the next value in a list or stream.
func nextValue(text string, offset int) int {
	return offset + len(text[offset:]) - len(strings.TrimLeft(text[offset:], " \t\r\n,"))
}

// appendDocument appends the documents in an answer of the _find API, or else the
// document itself, unless it is null.
func appendDocument(documents []Document, d Document) ([]Document, error) {
	_, isList := d.Table["data"].([]any)
	total, isPage := Number(d.Table["total"])
	switch {
	case d.Table == nil:
		return documents, nil
	case !isList || !isPage:
		return append(documents, d), nil
	}
	decoder := json.NewDecoder(strings.NewReader(d.Text))
	for token, err := decoder.Token(); token != "data"; token, err = decoder.Token() {
		if _, isName := token.(string); err == nil && isName {
			var other json.RawMessage
			err = decoder.Decode(&other)
		}
		if err != nil {
			return documents, err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return documents, err
	}
	for i := 1; decoder.More(); i++ {
		start := nextValue(d.Text, int(decoder.InputOffset()))
		table, err := decodeObject(decoder)
		if err != nil {
			return documents, fmt.Errorf("data[%d]: %w", i-1, err)
		}
		if table != nil {
			documents = append(documents, Document{
				Path: d.Path, Line: max(1, d.Line) + strings.Count(d.Text[:start], "\n"), Found: i, Total: int(total),
				Table: table, Text: d.Text[start:decoder.InputOffset()],
			})
		}
	}
	return documents, nil
}

// decodeObject decodes JSON into the types of TOML, which has no null: it drops members
// and elements that are null. A filter's query keeps them, because it is
// Elasticsearch's. null itself becomes nil.
func decodeObject(decoder *json.Decoder) (map[string]any, error) {
	decoder.UseNumber()
	var table map[string]any
	if err := decoder.Decode(&table); err != nil || table == nil {
		return nil, err
	}
	if inner, ok := table["rule"].(map[string]any); ok {
		table = inner
	}
	filters := table["filters"]
	delete(table, "filters")
	likeTOML(table, false)
	if filters != nil {
		table["filters"] = filtersLikeTOML(filters)
	}
	return table, nil
}

func likeTOML(value any, keepNull bool) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if v[name] = likeTOML(member, keepNull); member == nil && !keepNull {
				delete(v, name)
			}
		}
	case []any:
		kept := v[:0]
		for _, element := range v {
			if element != nil || keepNull {
				kept = append(kept, likeTOML(element, keepNull))
			}
		}
		return kept
	case json.Number:
		return elastic.Number(v)
	}
	return value
}

// filtersLikeTOML is likeTOML, but keeps the nulls in queries.
func filtersLikeTOML(value any) any {
	filters, ok := value.([]any)
	if !ok {
		return likeTOML(value, false)
	}
	filters = slices.DeleteFunc(filters, func(f any) bool { return f == nil })
	for _, one := range filters {
		f, _ := one.(map[string]any)
		for name, member := range f {
			if name != "meta" {
				f[name] = likeTOML(member, true)
			}
			if member == nil {
				delete(f, name)
			}
		}
		if meta, ok := f["meta"].(map[string]any); ok {
			members := meta["params"]
			delete(meta, "params")
			likeTOML(meta, false)
			if members != nil { // of a combined filter
				meta["params"] = filtersLikeTOML(members)
			}
		}
	}
	return filters
}
