package alert

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
)

// Documents hold an object's fields nested, dotted, or both:
// {"user": {"id": 1}, "user.name": "x"}. The functions here see one path.

// removePath deletes the field that elastic.Lookup finds, in all spellings, in lists of
// objects too.
func removePath(doc map[string]any, path string) {
	delete(doc, path)
	for end := range elastic.Dots(path) {
		switch child := doc[path[:end]].(type) {
		case map[string]any:
			removePath(child, path[end+1:])
		case []any:
			for _, element := range child {
				if object, ok := element.(map[string]any); ok {
					removePath(object, path[end+1:])
				}
			}
		}
	}
}

// removeMetadata removes the keys that are metadata to Elasticsearch instead of fields,
// and returns them, sorted. With a _doc_count of 1,000 an alert counts as 1,000 in each
// aggregation; Elasticsearch refuses most others.
func removeMetadata(document map[string]any) []string {
	var removed []string
	for name := range document {
		if fields.IsMetadata(name) {
			removed = append(removed, name)
			delete(document, name)
		}
	}
	slices.Sort(removed)
	return removed
}

// leaves yields every value that is no object, with its path.
func leaves(doc map[string]any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) { walk(doc, "", yield) }
}

func walk(doc map[string]any, prefix string, yield func(string, any) bool) bool {
	for name, value := range doc {
		child, ok := value.(map[string]any)
		if ok && !walk(child, prefix+name+".", yield) || !ok && !yield(prefix+name, value) {
			return false
		}
	}
	return true
}

// addMissing adds the mapped fields that the source lacks: alias and constant_keyword
// fields, which only the mapping has. A field below a value, like the multi-field
// message.text, is no field of the event.
func addMissing(doc map[string]any, mapped map[string][]any) {
	for _, path := range slices.Sorted(maps.Keys(mapped)) {
		values := mapped[path]
		if len(values) == 0 || strings.HasPrefix(path, "_") || elastic.HasValueAt(doc, path) {
			continue
		}
		value := any(values)
		if len(values) == 1 {
			value = values[0]
		}
		elastic.Put(doc, path, value)
	}
}

func firstOf(doc map[string]any, path string) any {
	value, _ := elastic.Lookup(doc, path)
	if list, ok := value.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return value
}

func textOf(doc map[string]any, paths ...string) string {
	for _, path := range paths {
		if value, ok := elastic.Lookup(doc, path); ok {
			if s := fields.Text(value); s != "" {
				return s
			}
		}
	}
	return ""
}

func integer(value any) int64 {
	if n, ok := value.(json.Number); ok {
		i, _ := n.Int64() // not an integer: 0
		return i
	}
	return 0
}
