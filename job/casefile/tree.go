package casefile

import (
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// flatten calls each for every value of a document with its path. It goes into objects
// and into arrays of objects, and passes other arrays as they are.
func flatten(prefix string, object map[string]any, each func(path string, value any)) {
	for name, value := range object {
		path := prefix + name
		switch v := value.(type) {
		case map[string]any:
			flatten(path+".", v, each)
		case []map[string]any:
			for _, element := range v {
				flatten(path+".", element, each)
			}
		case []any:
			objects := 0
			for _, element := range v {
				if o, ok := element.(map[string]any); ok {
					objects++
					flatten(path+".", o, each)
				}
			}
			if objects == 0 {
				each(path, v)
			}
		default:
			each(path, v)
		}
	}
}

// merged returns a document with the fields of own, and those of every that own does not
// have, both without some.
func merged(own, every map[string]any, without []string) map[string]any {
	d := clone(own)
	has := Paths(own)
	flatten("", every, func(path string, value any) {
		isThere := func(other string) bool {
			return other == path || strings.HasPrefix(other, path+".") || strings.HasPrefix(path, other+".")
		}
		if !slices.ContainsFunc(has, isThere) {
			elastic.Put(d, path, value)
		}
	})
	for _, path := range without {
		remove(d, path)
	}
	return d
}

// remove deletes a field with all below it, nested or dotted, and reports whether it was
// there. It does not look into arrays.
func remove(object map[string]any, path string) (removed bool) {
	for name, value := range object {
		rest, isBelow := strings.CutPrefix(path, name+".")
		child, isObject := value.(map[string]any)
		switch {
		case name == path, strings.HasPrefix(name, path+"."):
			delete(object, name)
			removed = true
		case isObject && isBelow && remove(child, rest):
			removed = true
			if len(child) == 0 {
				delete(object, name)
			}
		}
	}
	return removed
}

func clone(object map[string]any) map[string]any {
	copied := make(map[string]any, len(object))
	for name, value := range object {
		if child, ok := value.(map[string]any); ok {
			value = clone(child)
		}
		copied[name] = value
	}
	return copied
}
