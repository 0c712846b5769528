package rule

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/esquery/query"
	"newterms/job/rule/document"
	"newterms/job/rule/valuelist"
)

// An Exception is an item of an exception list that the rule names.
type Exception struct {
	query.Exception
	Expires time.Time // from then on it excludes nothing; zero is never
	Created time.Time // zero if the item does not say
}

// readItem reads an item in the form of Kibana's API.
func readItem(d document.Document) (Exception, error) {
	var e Exception
	name, _ := d.Table["name"].(string)
	id, _ := d.Table["item_id"].(string)
	if e.Name = name; name == "" {
		e.Name = id
	}
	refuse := func(format string, args ...any) (Exception, error) {
		return Exception{}, fmt.Errorf("item %q: "+format, append([]any{e.Name}, args...)...)
	}
	switch expires := d.Table["expire_time"].(type) {
	case nil:
	case time.Time: // of TOML
		e.Expires = expires
	default:
		var err error
		if e.Expires, err = time.Parse(time.RFC3339, fmt.Sprint(expires)); err != nil && expires != "" {
			return refuse("expire_time: %q is no time in RFC 3339", fmt.Sprint(expires))
		}
	}
	switch created := d.Table["created_at"].(type) {
	case time.Time:
		e.Created = created
	case string: // Kibana writes it, and nothing depends on it but explanations
		e.Created, _ = time.Parse(time.RFC3339, created)
	}
	if types := d.Table["os_types"]; !isEmpty(types) {
		var ok bool
		if e.OSTypes, ok = document.Texts(types); !ok || slices.ContainsFunc(e.OSTypes, func(s string) bool { return !slices.Contains(osTypes(), s) }) {
			return refuse("os_types: %v is no list of %s", shown(types), strings.Join(osTypes(), ", "))
		}
	}
	entries, err := readEntries(d.Path, d.Table["entries"], false)
	if err != nil {
		return refuse("%w", err)
	}
	e.Entries = entries
	return e, nil
}

// osTypes are the operating systems that Kibana knows.
func osTypes() []string { return []string{"linux", "macos", "windows"} }

func readEntries(path string, value any, inNested bool) ([]query.Entry, error) {
	tables, ok := document.Tables(value)
	if !ok || len(tables) == 0 {
		return nil, errors.New("entries is empty, which would exclude every event")
	}
	entries := make([]query.Entry, len(tables))
	for i, table := range tables {
		var err error
		if entries[i], err = readEntry(path, table, inNested); err != nil {
			return nil, fmt.Errorf("entry %d (field %v): %w", i+1, table["field"], err)
		}
	}
	return entries, nil
}

func readEntry(path string, table map[string]any, inNested bool) (query.Entry, error) {
	var e query.Entry
	e.Field, _ = table["field"].(string)
	e.Kind, _ = table["type"].(string)
	operator, given := table["operator"].(string)
	e.Excluded = operator == "excluded"
	known := []string{"match", "match_any", "exists", "wildcard"}
	if !inNested {
		known = append(known, "nested", "list")
	}
	switch {
	case e.Field == "":
		return e, errors.New("field is missing")
	case !slices.Contains(known, e.Kind):
		return e, fmt.Errorf("the type %q is none of %s", e.Kind, strings.Join(known, ", "))
	case e.Kind != "nested" && operator != "included" && operator != "excluded":
		return e, fmt.Errorf("the operator %q is neither included nor excluded", operator)
	case e.Kind == "nested" && given && operator != "included":
		return e, errors.New("a nested entry has no operator: its own entries have")
	}
	var err error
	switch e.Kind {
	case "match", "wildcard":
		value, ok := table["value"].(string)
		if !ok || value == "" {
			return e, errors.New("value is no text")
		}
		e.Values = []string{value}
	case "match_any":
		var ok bool
		if e.Values, ok = document.Texts(table["value"]); !ok || len(e.Values) == 0 {
			return e, errors.New("value is no list of texts")
		}
	case "nested":
		e.Of, err = readEntries(path, table["entries"], true)
	case "list":
		of, _ := table["list"].(map[string]any)
		err = valuelist.Read(path, of, &e)
	}
	if extra := slices.Sorted(maps.Keys(table)); err == nil {
		for _, name := range extra {
			if !slices.Contains([]string{"field", "type", "operator", "value", "entries", "list", "id"}, name) {
				err = fmt.Errorf("the key %s is unknown", name)
			}
		}
	}
	return e, err
}
