package rule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"newterms/job/rule/document"
)

// readItems reads the items of a list, from all files with the list and from those with
// only items of it. An empty list identity means that no file has the list itself.
func readItems(name listName, files []*listFile, list string) ([]Exception, error) {
	var exports []*listFile // of this list, complete
	var items []document.Document
	several := len(identities(files)) > 1
	for _, f := range files {
		held := identities([]*listFile{f})
		switch isHeld := slices.ContainsFunc(held, func(d document.Document) bool { return identity(d) == list }); {
		case len(held) == 0 && several:
			return nil, fmt.Errorf("%s: several lists have that name, and the item of %s may belong to any of them: "+
				"add its list to that file, or remove the other lists", name, f.items[0].Place())
		case isHeld && len(held) > 1 && len(f.items) > 0:
			return nil, fmt.Errorf("%s: %s and %s are two lists of that name in one file, and its items may belong to either: "+
				"export each list into its own file", name, held[0].Place(), held[1].Place())
		case isHeld && slices.ContainsFunc(f.lists, func(d document.Document) bool { return d.Found == 0 }):
			exports = append(exports, f)
		case isHeld: // the API returns lists without their items
		case len(held) > 0:
			continue // another list
		}
		items = append(items, f.items...)
	}
	var exceptions []Exception
	var problems []error
	for _, editions := range byItem(items) {
		e, err := readEditions(name, editions, exports)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		e.Name = fmt.Sprintf("%s (list %s)", e.Name, name.id)
		exceptions = append(exceptions, e)
	}
	return exceptions, errors.Join(problems...)
}

// byItem groups the editions of each item, in the order of the files. An item without
// an id is identified by its content.
func byItem(items []document.Document) [][]document.Document {
	var groups [][]document.Document
	at := map[string]int{}
	for _, d := range items {
		id, _ := d.Table["item_id"].(string)
		if id == "" {
			id = "says " + contentOf(d)
		}
		i, known := at[id]
		if !known {
			i = len(groups)
			at[id], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// readEditions reads the newest edition of an item.
func readEditions(name listName, editions []document.Document, exports []*listFile) (Exception, error) {
	if err := checkDeleted(name, editions, exports); err != nil {
		return Exception{}, err
	}
	newest := slices.MaxFunc(editions, func(a, b document.Document) int { return timeOf(a).Compare(timeOf(b)) })
	content := contentOf(newest)
	var e Exception
	var first document.Document
	var unread error
	for _, d := range editions {
		if contentOf(d) != content {
			if at := timeOf(d); at.IsZero() || at.Equal(timeOf(newest)) {
				return Exception{}, differError(name, newest, d, "and neither shows that it is newer")
			}
			continue // an older edition
		}
		read, err := readItem(d)
		switch {
		case err != nil:
			unread = cmp.Or(unread, fmt.Errorf("%s, %s: %w", name, d.Place(), err))
		case first.Table == nil:
			e, first = read, d
		case !reflect.DeepEqual(read.Entries, e.Entries):
			return Exception{}, differError(name, first, d, "because of the value lists beside them")
		}
	}
	if first.Table == nil {
		return Exception{}, unread
	}
	return e, nil
}

func differError(name listName, a, b document.Document, why string) error {
	return fmt.Errorf("%s: its item %s differs between %s and %s, %s: remove the older one", name, itemName(a), a.Place(), b.Place(), why)
}

// checkDeleted refuses an item that only some exports of its list have.
func checkDeleted(name listName, editions []document.Document, exports []*listFile) error {
	has := func(f *listFile) bool {
		return slices.ContainsFunc(editions, func(d document.Document) bool { return d.Path == f.path })
	}
	in, notIn := slices.IndexFunc(exports, has), slices.IndexFunc(exports, func(f *listFile) bool { return !has(f) })
	if in < 0 || notIn < 0 {
		return nil
	}
	item := editions[slices.IndexFunc(editions, func(d document.Document) bool { return d.Path == exports[in].path })]
	return fmt.Errorf("%s: its item %s is in %s but not in the export at %s, and may have been deleted: remove the older export",
		name, itemName(item), item.Place(), exports[notIn].lists[0].Place())
}

func itemName(d document.Document) string {
	name, _ := d.Table["name"].(string)
	id, _ := d.Table["item_id"].(string)
	return fmt.Sprintf("%q", cmp.Or(name, id))
}

// contentOf returns the part of an item that decides about events, in JSON.
func contentOf(d document.Document) string {
	content := []any{withoutIDs(d.Table["entries"]), nil, d.Table["expire_time"]}
	if types := d.Table["os_types"]; !isEmpty(types) {
		content[1] = types
	}
	text, err := json.Marshal(content)
	if err != nil { // of TOML only: its infinities
		return fmt.Sprint(content)
	}
	return string(text)
}

// withoutIDs removes the ids that Kibana's editor gives to entries.
func withoutIDs(entries any) any {
	tables, ok := document.Tables(entries)
	if !ok {
		return entries
	}
	var kept []map[string]any
	for _, table := range tables {
		one := map[string]any{}
		for name, value := range table {
			if name != "id" {
				one[name] = withoutIDs(value)
			}
		}
		kept = append(kept, one)
	}
	return kept
}

// timeOf returns when an item was last changed, the zero time if that is not known.
func timeOf(d document.Document) time.Time {
	for _, name := range []string{"updated_at", "created_at"} {
		switch v := d.Table[name].(type) {
		case string:
			if at, err := time.Parse(time.RFC3339, v); err == nil {
				return at
			}
		case time.Time: // of TOML
			return v
		}
	}
	return time.Time{}
}

// sameExceptions reports whether exceptions exclude the same events, in any order.
func sameExceptions(a, b []Exception) bool {
	if len(a) != len(b) {
		return false
	}
	b = slices.Clone(b)
	for _, one := range a {
		i := slices.IndexFunc(b, func(e Exception) bool {
			return reflect.DeepEqual(e.Entries, one.Entries) && slices.Equal(e.OSTypes, one.OSTypes) && e.Expires.Equal(one.Expires)
		})
		if i < 0 {
			return false
		}
		b = slices.Delete(b, i, i+1)
	}
	return true
}
