package rule

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// A document is one object of a file: a rule, an exception list or an item of
// one.
type document struct {
	path  string
	line  int // where it begins in an export; 0 is the whole file
	table map[string]any
	text  string // it, or the file that it is
	// maturity is what detection-rules say of it; "" if they do not.
	maturity string
}

// place says where the document is.
func (d document) place() string {
	if d.line == 0 {
		return d.path
	}
	return fmt.Sprintf("%s line %d", d.path, d.line)
}

func (d document) rule() (Rule, error) {
	r, err := fromTable(d.table)
	if err != nil {
		return Rule{}, &Error{d.place(), err}
	}
	r.Source, r.Status = d.place(), cmp.Or(d.maturity, "enabled")
	if enabled, ok := d.table["enabled"].(bool); ok && !enabled {
		r.Status = "disabled"
	}
	return r, nil
}

type documentKind int

const (
	unknown  documentKind = iota
	aSummary              // of an export, or a connector in it
	aList
	anItem
	aRule
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
		return aSummary
	case has("list_id") && has("entries"):
		return anItem
	case has("list_id"):
		return aList
	case has("rule_id", "new_terms", "new_terms_fields", "risk_score"), has("type") && has("query"):
		return aRule
	}
	return unknown
}

// decodeTOML reads a file of detection-rules: one [rule], or the table itself, or
// [[exceptions]].
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
	if whole := (document{path: path, table: file, text: text}); whole.kind() != unknown {
		return []document{whole}, nil
	}
	exceptions, ok := tablesOf(file["exceptions"])
	if !ok {
		return nil, errors.Join(&Error{path, errors.New("it has no [rule] table")})
	}
	var documents []document
	for _, e := range exceptions {
		container, _ := e["container"].(map[string]any)
		documents = append(documents, document{path: path, table: container, line: lineOfValue(text, "list_id", container["list_id"])})
		items, _ := tablesOf(e["items"])
		for _, item := range items {
			documents = append(documents, document{path: path, table: item, line: lineOfValue(text, "item_id", item["item_id"])})
		}
	}
	return documents, nil
}

// lineOfValue finds where TOML gives a key a value first; 0 if it cannot be told.
func lineOfValue(text, key string, value any) int {
	at := regexp.MustCompile(`(?m)^\s*` + key + `\s*=\s*["']` + regexp.QuoteMeta(fmt.Sprint(value)) + `["']`).FindStringIndex(text)
	if at == nil {
		return 0
	}
	return 1 + strings.Count(text[:at[1]], "\n")
}

// decodeLines reads an export, an object a line. A line that is none does not
// keep the others from being read.
func decodeLines(path, text string) ([]document, error) {
	var documents []document
	var problems []error
	line := 0
	for one := range strings.Lines(text) {
		if line++; strings.TrimSpace(one) == "" {
			continue
		}
		table, err := decodeObject(json.NewDecoder(strings.NewReader(one)))
		d := document{path: path, line: line, table: table, text: one}
		if err != nil {
			problems = append(problems, &Error{d.place(), err})
			continue
		}
		documents = append(documents, d)
	}
	return documents, errors.Join(problems...)
}

// decodeJSON reads a rule as Kibana's API has it, several in a list, or objects
// one after the other.
func decodeJSON(path, text string) ([]document, error) {
	var documents []document
	text = strings.TrimPrefix(text, "\ufeff")
	decoder := json.NewDecoder(strings.NewReader(text))
	inList := strings.HasPrefix(strings.TrimSpace(text), "[")
	if inList {
		if _, err := decoder.Token(); err != nil {
			return nil, errors.Join(&Error{path, err})
		}
	}
	for !inList || decoder.More() {
		start := decoder.InputOffset()
		table, err := decodeObject(decoder)
		if errors.Is(err, io.EOF) && !inList && len(documents) > 0 {
			break
		}
		line := 1 + strings.Count(text[:start], "\n")
		if err != nil {
			return documents, errors.Join(&Error{fmt.Sprintf("%s line %d", path, 1+strings.Count(text[:decoder.InputOffset()], "\n")), err})
		}
		d := document{path: path, table: table, text: text}
		if end := decoder.InputOffset(); len(documents) > 0 || strings.Trim(text[end:], " \t\r\n") != "" {
			d.line, d.text = line, text[start:end]
		}
		documents = append(documents, d)
	}
	return documents, nil
}

// decodeObject gives JSON the types that TOML has.
func decodeObject(decoder *json.Decoder) (map[string]any, error) {
	decoder.UseNumber()
	var table map[string]any
	if err := decoder.Decode(&table); err != nil {
		return nil, err
	}
	if table == nil {
		return nil, errors.New("it is null")
	}
	for name, value := range table {
		table[name] = likeTOML(value)
	}
	if inner, ok := table["rule"].(map[string]any); ok {
		return inner, nil
	}
	return table, nil
}

func likeTOML(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = likeTOML(member)
		}
	case []any:
		for i, element := range v {
			v[i] = likeTOML(element)
		}
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		if fraction, err := v.Float64(); err == nil {
			return fraction
		}
		return v.String()
	}
	return value
}

var (
	multiline = regexp.MustCompile(`(?s)'''.*?'''|""".*?"""`)
	notLine   = regexp.MustCompile(`[^\n]`)
)

// lineOf finds where a key stands. In an export that is the document's own line.
func (d document) lineOf(key string) int {
	if d.line > 0 && strings.Count(strings.TrimSpace(d.text), "\n") == 0 {
		return d.line
	}
	quoted := regexp.QuoteMeta(key)
	at := regexp.MustCompile(`"` + quoted + `"\s*:`)
	text := []byte(d.text)
	if strings.HasSuffix(d.path, ".toml") {
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
