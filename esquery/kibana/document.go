package kibana

import (
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// A document is read leniently: another version of Kibana may have written it. A value of
// another type counts as none.
type document map[string]any

func (d document) value(path string) any {
	value, _ := elastic.Lookup(d, path)
	return value
}

// list returns a value, which may be one without a list.
func (d document) list(path string) []any {
	switch v := d.value(path).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func (d document) texts(path string) []string {
	var texts []string
	for _, one := range d.list(path) {
		if text, ok := one.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func (d document) text(path string) string {
	if texts := d.texts(path); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

func (d document) objects(path string) []document {
	var objects []document
	for _, one := range d.list(path) {
		if object, ok := one.(map[string]any); ok {
			objects = append(objects, object)
		}
	}
	return objects
}

// whole returns a number, which a flattened field has as text.
func (d document) whole(path string, without int64) int64 {
	for _, one := range d.list(path) {
		if n, err := json.Number(fmt.Sprint(one)).Float64(); err == nil {
			return int64(n)
		}
	}
	return without
}

// time returns the earliest of a field's times in whole milliseconds; zero if there is
// none.
func (d document) time(path string) time.Time {
	var earliest time.Time
	for _, one := range d.list(path) {
		at, err := time.Parse(time.RFC3339, fmt.Sprint(one))
		if ms, isNumber := one.(json.Number); isNumber {
			var n int64
			n, err = ms.Int64()
			at = time.UnixMilli(n)
		}
		if err == nil && (earliest.IsZero() || at.Before(earliest)) {
			earliest = at
		}
	}
	if earliest.IsZero() {
		return earliest
	}
	return earliest.UTC().Truncate(time.Millisecond)
}
