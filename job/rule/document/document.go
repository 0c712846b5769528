// Package document reads the files of rules: the objects that they hold, with the place of
// each.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// A Document is one object of a file: a rule, an exception list or an item.
type Document struct {
	Path  string
	Line  int // where it begins in an export; 0 if it is the whole file
	Found int // position in an answer of Kibana's _find API, from 1; 0 if in none
	Total int // number of documents that this answer is a page of
	Table map[string]any
	Text  string // of the document, or of the whole file
	// Maturity is that of the detection-rules repository; "" if there is none.
	Maturity string
}

// An Error names a rule file that cannot be used, and why.
type Error struct {
	Path string // the file, or a Place in it
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("rule %s: %v", e.Path, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Decode returns the documents of a file, which the end of its name tells from TOML to
// JSON. Its error joins an *Error for each that it cannot decode; it returns the others.
func Decode(path, text string) ([]Document, error) {
	switch Extension(path) {
	case ".ndjson":
		return decodeLines(path, text)
	case ".json":
		return decodeJSON(path, text)
	}
	return decodeTOML(path, text)
}

// Extension returns the end of a file's name in lower case, such as ".toml".
func Extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// Place returns the file, line and position of the document.
func (d Document) Place() string {
	switch {
	case d.Line == 0:
		return d.Path
	case d.Found > 0:
		return fmt.Sprintf("%s line %d, data[%d]", d.Path, d.Line, d.Found-1)
	}
	return fmt.Sprintf("%s line %d", d.Path, d.Line)
}

// A Kind is what a Document is.
type Kind int

const (
	Unknown Kind = iota
	Summary      // of an export, or a saved object in it, such as a connector
	List         // an exception list
	Item         // of an exception list
	Rule
)

// Kind returns what the document is.
func (d Document) Kind() Kind {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := d.Table[name]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("exported_count", "exported_rules_count", "exported_exception_list_count"), has("attributes"):
		return Summary
	case has("list_id") && has("entries"):
		return Item
	case has("list_id"):
		return List
	case has("rule_id", "new_terms", "new_terms_fields", "risk_score"), has("type") && has("query"), d.Table["type"] == "new_terms":
		return Rule
	}
	return Unknown
}

// decodeTOML reads a file in the format of detection-rules: one [rule], or the table
// itself, or [[exceptions]].
func decodeTOML(path, text string) ([]Document, error) {
	var file map[string]any
	if _, err := toml.Decode(text, &file); err != nil {
		return nil, errors.Join(&Error{path, err})
	}
	if table, ok := file["rule"].(map[string]any); ok {
		metadata, _ := file["metadata"].(map[string]any)
		maturity, _ := metadata["maturity"].(string)
		return []Document{{Path: path, Table: table, Text: text, Maturity: maturity}}, nil
	}
	if whole := (Document{Path: path, Table: file, Text: text}); whole.Kind() != Unknown {
		return []Document{whole}, nil
	}
	exceptions, ok := Tables(file["exceptions"])
	if !ok {
		return nil, errors.Join(&Error{path, errors.New("it has no [rule] table")})
	}
	var documents []Document
	for _, e := range exceptions {
		container, _ := e["container"].(map[string]any)
		documents = append(documents, Document{Path: path, Table: container, Line: lineOfValue(text, "list_id", container["list_id"])})
		items, _ := Tables(e["items"])
		for _, item := range items {
			documents = append(documents, Document{Path: path, Table: item, Line: lineOfValue(text, "item_id", item["item_id"])})
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

// LineOf returns the line of a key. In an export that is the document's own line.
func (d Document) LineOf(key string) int {
	if d.Line > 0 && strings.Count(strings.TrimSpace(d.Text), "\n") == 0 {
		return d.Line
	}
	quoted := regexp.QuoteMeta(key)
	at := regexp.MustCompile(`"` + quoted + `"\s*:`)
	text := []byte(d.Text)
	if Extension(d.Path) == ".toml" {
		at = regexp.MustCompile(`(?m)^\s*(\[+\s*(rule\s*\.\s*)?)?"?` + quoted + `"?\s*[=.\]]`)
		text = multiline.ReplaceAllFunc(text, func(s []byte) []byte { return notLine.ReplaceAll(s, []byte(" ")) })
	}
	found := at.FindIndex(text)
	if found == nil {
		return max(1, d.Line)
	}
	line := bytes.Count(text[:found[0]], []byte("\n")) + 1
	line += bytes.Count(text[found[0]:found[1]], []byte("\n"))
	return max(0, d.Line-1) + line
}

// Texts returns a list of texts, none of them empty. ok is false for anything else.
func Texts(value any) (texts []string, ok bool) {
	list, ok := value.([]any)
	texts = make([]string, len(list))
	for i, element := range list {
		s, isString := element.(string)
		if !isString || s == "" {
			return nil, false
		}
		texts[i] = s
	}
	return texts, ok
}

// Tables returns a list of tables, which TOML writes with [[…]] or inline. ok is false
// for anything else.
func Tables(value any) (tables []map[string]any, ok bool) {
	if tables, ok := value.([]map[string]any); ok {
		return tables, true
	}
	list, ok := value.([]any)
	tables = make([]map[string]any, len(list))
	for i, element := range list {
		if tables[i], ok = element.(map[string]any); !ok {
			return nil, false
		}
	}
	return tables, ok
}

// Number returns an integer or a fraction as a float64.
func Number(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
