// Package templates holds the index templates of the two targets, sets them up, and
// inspects them. The targets are hidden data streams.
package templates

import (
	_ "embed"
	"encoding/json"
	"maps"
	"strings"

	"newterms/esquery/elastic"
)

//go:embed alerts.json
var alertsJSON []byte

//go:embed runs.json
var runsJSON []byte

// A template is one of our index templates. It has no index_patterns, which depend on
// the configured target.
type template struct {
	text  []byte
	body  map[string]any
	types map[string]string // dotted path → type; "object" for parents
	// program is the version of the program that sets it up; "" in one that is only
	// compared.
	program string
}

// markedField is the field whose mapping names the program that set up the target. Who
// may only read the target sees that, but not the _meta of a template or a mapping.
const markedField = "newterms.run.id"

// Mark returns what a target says about the version of the program that set it up:
// Elasticsearch takes the first 50 bytes.
//
// https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/mapping-field-meta
func Mark(program string) string { return program[:min(len(program), 50)] }

// markedBy returns a copy that names the version of the program.
func (t template) markedBy(program string) template {
	program = Mark(program)
	marked := mustParse(t.text)
	marked.program = program
	marked.body["_meta"].(map[string]any)["newterms_version"] = program
	field := marked.mappings()
	for name := range strings.SplitSeq(markedField, ".") {
		field = field["properties"].(map[string]any)[name].(map[string]any)
	}
	field["meta"] = map[string]any{"newterms_version": program}
	return marked
}

var (
	alertsTemplate = mustParse(alertsJSON)
	runsTemplate   = mustParse(runsJSON)
)

// mustParse parses an embedded template; a test parses both.
func mustParse(text []byte) template {
	t := template{text: text, types: map[string]string{}}
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

// AlertTypes returns the type of each field that the alerts template maps, by its
// path; "object" for parents.
func AlertTypes() map[string]string { return maps.Clone(alertsTemplate.types) }

// RunTypes is AlertTypes for the runs template.
func RunTypes() map[string]string { return maps.Clone(runsTemplate.types) }

// Targets are the two targets of a configuration. They are safe for concurrent use.
type Targets struct {
	client       *elastic.Client
	alerts, runs string
}

// NewTargets returns the targets with these names.
func NewTargets(client *elastic.Client, alertsTarget, runsTarget string) *Targets {
	return &Targets{client, alertsTarget, runsTarget}
}

// A target is the name of a data stream, and its template.
type target struct {
	name     string
	template template
}

// list returns both targets, the alerts target first.
func (ts *Targets) list() []target {
	return []target{{ts.alerts, alertsTemplate}, {ts.runs, runsTemplate}}
}

// templateName returns the template's name, like Kibana's for templates of alerts.
func templateName(target string) string { return target + "-index-template" }
