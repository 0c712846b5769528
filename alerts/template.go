package alerts

import (
	_ "embed"
	"encoding/json"
	"slices"

	"newterms/esquery/elastic"
)

//go:embed templates/alerts.json
var alertsJSON []byte

//go:embed templates/runs.json
var runsJSON []byte

// A template is one of our index templates. It has no index_patterns, which depend on
// the configured target.
type template struct {
	body  map[string]any
	types map[string]string // dotted path → type; "object" for parents
	// event lists the fields of events among them, and dates those of type date,
	// sorted.
	event, dates []string
	fields       *elastic.Tree[field] // the fields of events
	described    int                  // the number of fields that descriptions read
}

var (
	alertsTemplate = mustParse(alertsJSON)
	runsTemplate   = mustParse(runsJSON)
)

// mustParse parses an embedded template; a test parses both.
func mustParse(text []byte) template {
	t := template{types: map[string]string{}}
	if err := json.Unmarshal(text, &t.body); err != nil {
		panic(err)
	}
	collectTypes(t.mappings(), "", t.types)
	for path, kind := range t.types {
		if kind != "object" && !isOurs(path) {
			t.event = append(t.event, path)
		}
		if kind == "date" && !isOurs(path) {
			t.dates = append(t.dates, path)
		}
	}
	slices.Sort(t.event)
	slices.Sort(t.dates)
	described := describedFields()
	t.fields, t.described = fieldsOf(t.types, described), len(described)
	return t
}

// fieldsOf returns the tree of the events' fields. It marks those that descriptions
// read.
func fieldsOf(types map[string]string, described []string) *elastic.Tree[field] {
	fields := new(elastic.Tree[field])
	number := 0
	for path, kind := range types {
		if isOurs(path) {
			continue
		}
		f := field{path: path, kind: kind, described: slices.Contains(described, path), number: number}
		number++
		copied := "kibana.alert.original_" + path
		switch {
		case path == "@timestamp":
			f.original = "kibana.alert.original_time"
		case isCopied(path) && types[copied] != "":
			f.original = copied
		}
		fields.Make(path).Value = f
	}
	return fields
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
