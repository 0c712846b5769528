package alerts

import (
	_ "embed"
	"encoding/json"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed templates/alerts.json
var alertsJSON []byte

//go:embed templates/runs.json
var runsJSON []byte

// A template is an index template of ours, without the index_patterns, which
// follow the configured target.
type template struct {
	body  map[string]any
	types map[string]string // dotted path → type; "object" for parents
}

var (
	alertsTemplate = mustParse(alertsJSON)
	runsTemplate   = mustParse(runsJSON)
)

// mustParse reads an embedded template; a test parses both.
func mustParse(text []byte) template {
	t := template{types: map[string]string{}}
	if err := json.Unmarshal(text, &t.body); err != nil {
		panic(err)
	}
	collectTypes(t.mappings(), "", t.types)
	return t
}

func (t template) mappings() map[string]any {
	return t.body["template"].(map[string]any)["mappings"].(map[string]any)
}

func collectTypes(mapping map[string]any, prefix string, types map[string]string) {
	properties, _ := mapping["properties"].(map[string]any)
	for name, child := range properties {
		child := child.(map[string]any)
		if kind, ok := child["type"].(string); ok {
			types[prefix+name] = kind
			continue
		}
		types[prefix+name] = "object"
		collectTypes(child, prefix+name+".", types)
	}
}

// fit removes what Elasticsearch would refuse to index under the template, so
// that no event can break the write, and returns the removed paths, sorted.
// What is not mapped is only stored, and always fits.
func (t template) fit(doc map[string]any) []string {
	removed := map[string]bool{}
	t.fitObject(doc, "", removed)
	return slices.Sorted(maps.Keys(removed))
}

func (t template) fitObject(doc map[string]any, prefix string, removed map[string]bool) {
	for name, value := range doc {
		path := prefix + name
		if t.belowValue(path, prefix) {
			removed[path] = true
			delete(doc, name)
			continue
		}
		kept, ok := t.fitValue(path, value, removed)
		if !ok {
			removed[path] = true
			delete(doc, name)
			continue
		}
		doc[name] = kept
	}
}

// belowValue reports whether a dotted key goes through a field that holds
// values, like user.name.first.
func (t template) belowValue(path, prefix string) bool {
	for end := nextDot(path, len(prefix)); end >= 0; end = nextDot(path, end) {
		if kind, ok := t.types[path[:end]]; ok && kind != "object" {
			return true
		}
	}
	return false
}

// fitValue returns what of a value fits its path. Of a list, the elements that
// do not fit are removed.
func (t template) fitValue(path string, value any, removed map[string]bool) (any, bool) {
	kind, mapped := t.types[path]
	if !mapped || value == nil || kind == "geo_point" {
		return value, true
	}
	switch v := value.(type) {
	case []any:
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
		if kind == "object" {
			t.fitObject(v, path+".", removed)
		}
		return v, kind == "object" || kind == "flattened"
	default:
		return v, fitsScalar(kind, text(v))
	}
}

// datePattern is wider than strict_date_optional_time: what it lets through
// wrongly, the template's ignore_malformed takes.
var datePattern = regexp.MustCompile(`^\d{4,9}(-\d\d){0,2}(T[\d:.,]*(Z|[+-][\d:]+)?)?$|^-?\d+$`)

func fitsScalar(kind, s string) bool {
	switch kind {
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
		_, err := netip.ParseAddr(s)
		return err == nil
	default:
		return true
	}
}
