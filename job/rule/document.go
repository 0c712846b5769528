package rule

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// A document is one object of a file: a rule, an exception list or an item.
type document struct {
	path  string
	line  int // where it begins in an export; 0 if it is the whole file
	found int // position in an answer of Kibana's _find API, from 1; 0 if in none
	total int // number of documents that this answer is a page of
	table map[string]any
	text  string // of the document, or of the whole file
	// maturity is that of the detection-rules repository; "" if there is none.
	maturity string
}

// place returns the file, line and position of the document.
func (d document) place() string {
	switch {
	case d.line == 0:
		return d.path
	case d.found > 0:
		return fmt.Sprintf("%s line %d, data[%d]", d.path, d.line, d.found-1)
	}
	return fmt.Sprintf("%s line %d", d.path, d.line)
}

// rule reads a rule. The rule has its Warnings even with an error, which is an *Error.
func (d document) rule() (Rule, error) {
	r, warnings, err := fromTable(d.table)
	for _, w := range warnings {
		w.Path, w.Line = d.path, d.lineOf(w.Key)
	}
	if err != nil {
		return Rule{Warnings: warnings}, &Error{d.place(), &located{d, err}}
	}
	r.Source, r.Status, r.path, r.Warnings = d.place(), cmp.Or(d.maturity, "enabled"), d.path, warnings
	r.dataViewLine = d.lineOf("data_view_id")
	if enabled, ok := d.table["enabled"].(bool); ok && !enabled {
		r.Status = "disabled"
	}
	return r, nil
}

type documentKind int

const (
	kindUnknown documentKind = iota
	kindSummary              // of an export, or a saved object in it, such as a connector
	kindList
	kindItem
	kindRule
)

func (d document) kind() documentKind {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := d.table[name]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("exported_count", "exported_rules_count", "exported_exception_list_count"), has("attributes"):
		return kindSummary
	case has("list_id") && has("entries"):
		return kindItem
	case has("list_id"):
		return kindList
	case has("rule_id", "new_terms", "new_terms_fields", "risk_score"), has("type") && has("query"), d.table["type"] == "new_terms":
		return kindRule
	}
	return kindUnknown
}

// decodeTOML reads a file in the format of detection-rules: one [rule], or the table
// itself, or [[exceptions]].
func decodeTOML(path, text string) ([]document, error) {
	var file map[string]any
	if _, err := toml.Decode(text, &file); err != nil {
		return nil, errors.Join(&Error{path, err})
	}
	if table, ok := file["rule"].(map[string]any); ok {
		metadata, _ := file["metadata"].(map[string]any)
		maturity, _ := metadata["maturity"].(string)
		return []document{{path: path, table: table, text: text, maturity: maturity}}, nil
	}
	if whole := (document{path: path, table: file, text: text}); whole.kind() != kindUnknown {
		return []document{whole}, nil
	}
	exceptions, ok := Tables(file["exceptions"])
	if !ok {
		return nil, errors.Join(&Error{path, errors.New("it has no [rule] table")})
	}
	var documents []document
	for _, e := range exceptions {
		container, _ := e["container"].(map[string]any)
		documents = append(documents, document{path: path, table: container, line: lineOfValue(text, "list_id", container["list_id"])})
		items, _ := Tables(e["items"])
		for _, item := range items {
			documents = append(documents, document{path: path, table: item, line: lineOfValue(text, "item_id", item["item_id"])})
		}
	}
	return documents, nil
}

// lineOfValue returns the first line where TOML assigns a value to a key; 0 if it is
// not found.
func lineOfValue(text, key string, value any) int {
	at := regexp.MustCompile(`(?m)^\s*` + key + `\s*=\s*["']` + regexp.QuoteMeta(fmt.Sprint(value)) + `["']`).FindStringIndex(text)
	if at == nil {
		return 0
	}
	return 1 + strings.Count(text[:at[1]], "\n")
}

var (
	multiline = regexp.MustCompile(`(?s)'''.*?'''|""".*?"""`)
	notLine   = regexp.MustCompile(`[^\n]`)
)

// lineOf returns the line of a key. In an export that is the document's own line.
func (d document) lineOf(key string) int {
	if d.line > 0 && strings.Count(strings.TrimSpace(d.text), "\n") == 0 {
		return d.line
	}
	quoted := regexp.QuoteMeta(key)
	at := regexp.MustCompile(`"` + quoted + `"\s*:`)
	text := []byte(d.text)
	if extension(d.path) == ".toml" {
		at = regexp.MustCompile(`(?m)^\s*(\[+\s*(rule\s*\.\s*)?)?"?` + quoted + `"?\s*[=.\]]`)
		text = multiline.ReplaceAllFunc(text, func(s []byte) []byte { return notLine.ReplaceAll(s, []byte(" ")) })
	}
	found := at.FindIndex(text)
	if found == nil {
		return max(1, d.line)
	}
	line := bytes.Count(text[:found[0]], []byte("\n")) + 1
	line += bytes.Count(text[found[0]:found[1]], []byte("\n"))
	return max(0, d.line-1) + line
}
