package fields

import (
	"bytes"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"newterms/esquery/elastic"
)

// Fit removes values that Elasticsearch would refuse to index under the alerts template,
// so that no event can break the write. It returns the removed paths, sorted. Fields
// that are not mapped are only stored, and fit if their name is valid.
func Fit(doc map[string]any) []string {
	removed := map[string]bool{}
	alertTypes.fitObject(doc, "", removed)
	return slices.Sorted(maps.Keys(removed))
}

func (t types) fitObject(doc map[string]any, prefix string, removed map[string]bool) {
	for name, value := range doc {
		path := prefix + name
		kept, ok := value, IsName(name) && !t.belowValue(path, prefix)
		if ok {
			kept, ok = t.fitValue(path, value, removed)
		}
		if ok {
			doc[name] = kept
		} else {
			removed[path] = true
			delete(doc, name)
		}
	}
}

// IsName reports whether Elasticsearch accepts a key as a field's name. Each part
// between dots must have a character that is no space.
func IsName(key string) bool {
	for part := range strings.SplitSeq(key, ".") {
		if strings.TrimSpace(part) == "" || strings.ContainsRune(part, 0) {
			return false
		}
	}
	return true
}

// belowValue reports whether a dotted key is below a field that holds values, like
// user.name.first.
func (t types) belowValue(path, prefix string) bool {
	for end := range elastic.Dots(path) {
		if end <= len(prefix) {
			continue
		}
		if kind, ok := t[path[:end]]; ok && kind != "object" {
			return true
		}
	}
	return false
}

// fitValue returns the part of a value that fits its path. It removes the elements of a
// list that do not fit.
func (t types) fitValue(path string, value any, removed map[string]bool) (any, bool) {
	kind, mapped := t[path]
	switch v := value.(type) {
	case nil:
		return value, true
	case []any:
		if kind == "geo_point" {
			return v, isPoint(v) || len(v) > 0 && !slices.ContainsFunc(v, func(e any) bool { return !isPoint(e) })
		}
		kept := make([]any, 0, len(v))
		for _, element := range v {
			if element, ok := t.fitValue(path, element, removed); ok {
				kept = append(kept, element)
			} else {
				removed[path] = true
			}
		}
		return kept, len(kept) > 0 || len(v) == 0
	case map[string]any:
		switch {
		case kind == "object" || !mapped:
			t.fitObject(v, path+".", removed)
			return v, true
		case kind == "flattened":
			return v, fitFlattened(v, "", 0, func(key string) { removed[path+"."+key] = true })
		}
		return v, kind == "geo_point" && isPoint(v)
	}
	if !mapped {
		return value, true
	}
	return value, Fits(kind, value)
}

const (
	// maxFlattenedDepth is the default depth_limit of a flattened field.
	maxFlattenedDepth = 20
	// maxTermBytes is the maximum length of a term, which in a flattened field is a key
	// with its value; less some for the separators.
	maxTermBytes = 32_000
)

// fitFlattened removes the keys that a flattened field refuses. It returns false if it
// refuses the whole field.
func fitFlattened(object map[string]any, prefix string, depth int, remove func(key string)) bool {
	if depth >= maxFlattenedDepth {
		return false
	}
	for key, value := range object {
		path := prefix + key
		if !fitFlattenedValue(path, value, depth, remove) || strings.ContainsRune(key, 0) {
			remove(path)
			delete(object, key)
		}
	}
	return true
}

func fitFlattenedValue(path string, value any, depth int, remove func(key string)) bool {
	switch v := value.(type) {
	case map[string]any:
		return fitFlattened(v, path+".", depth+1, remove)
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !fitFlattenedValue(path, e, depth, remove) })
	}
	s := Text(value)
	return len(path)+len(s) < maxTermBytes && !strings.ContainsRune(s, 0)
}

// FitsFlattened reports whether an object of JSON certainly fits a flattened field as it
// is: no key can be too deep, or too long with its value.
func FitsFlattened(object []byte) bool {
	return len(object) < maxTermBytes && bytes.Count(object, []byte("{")) < maxFlattenedDepth && !bytes.Contains(object, []byte(`\u0000`))
}

// isPoint reports whether a value is one point on the earth in a form that Okta's and
// ECS's events use: {"lat", "lon"}, [lon, lat] or "lat,lon".
func isPoint(value any) bool {
	var lat, lon string
	switch v := value.(type) {
	case map[string]any:
		lat, lon = Text(v["lat"]), Text(v["lon"])
		if len(v) != 2 {
			return false
		}
	case []any:
		if len(v) != 2 {
			return false
		}
		lon, lat = Text(v[0]), Text(v[1])
	case string:
		var ok bool
		if lat, lon, ok = strings.Cut(v, ","); !ok {
			return false
		}
	}
	within := func(s string, limit float64) bool {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return err == nil && f >= -limit && f <= limit
	}
	return within(lat, 90) && within(lon, 180)
}

// datePattern is wider than strict_date_optional_time. The template's ignore_malformed
// accepts the difference.
var datePattern = regexp.MustCompile(`^\d{4,9}(-\d\d){0,2}(T[\d:.,]*(Z|[+-][\d:]+)?)?$|^-?\d{1,18}$`)

// Fits reports whether a scalar fits a field of a type. A list or an object fits only
// as one geo_point.
func Fits(kind string, value any) bool {
	s := Text(value)
	switch kind {
	case "geo_point":
		return isPoint(value)
	case "object", "flattened":
		return false
	case "long":
		_, err := strconv.ParseInt(strings.TrimSuffix(s, ".0"), 10, 64)
		return err == nil
	case "float":
		_, err := strconv.ParseFloat(s, 32)
		return err == nil
	case "boolean":
		return s == "true" || s == "false"
	case "date":
		return datePattern.MatchString(s)
	case "ip":
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Zone() == ""
	default:
		return true
	}
}
