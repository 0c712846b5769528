package rule

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"newterms/esquery/elastic/words"
	"newterms/job/rule/document"
)

// ruleTypes are the types of Kibana's rules.
//
// https://www.elastic.co/docs/api/doc/kibana/operation/operation-createrule
func ruleTypes() []string {
	return []string{"eql", "esql", "machine_learning", "new_terms", "query", "saved_query", "threat_match", "threshold"}
}

func (l *loader) warn(path string, line int, key, format string, args ...any) {
	l.warnings = append(l.warnings, &Warning{path, line, key, fmt.Sprintf(format, args...)})
}

// skip counts a rule of another type. It warns if the type may be a slip, because
// the rule then does not run, and nothing else would say so.
func (l *loader) skip(d document.Document) {
	kind, isText := d.Table["type"].(string)
	known := slices.Contains(ruleTypes(), kind)
	_, fields := d.Table["new_terms_fields"]
	_, table := d.Table["new_terms"]
	line := d.LineOf("type")
	switch {
	case d.Table["type"] == nil:
		kind = "without a type"
		l.warn(d.Path, d.Line, "type", `the rule does not run, because it has no type: write type = "new_terms" if it is such a rule`)
	case !isText || !known:
		if !isText {
			kind = "without a type"
		}
		meant := words.Closest(kind, ruleTypes())
		if meant == "" {
			meant = "new_terms"
		}
		l.warn(d.Path, line, "type", "the rule does not run, because Kibana has no type %q: write %q if that is meant", fmt.Sprint(d.Table["type"]), meant)
	case (fields || table) && d.Found == 0 && document.Extension(d.Path) != ".ndjson": // Kibana exports no such rule
		l.warn(d.Path, line, "type", `the rule does not run, because its type is %q, although it has new-terms fields: write "new_terms" if that is meant`, kind)
	}
	l.skipped[kind]++
}

// warnOfSavedObject warns about a rule that was exported as a saved object. Connectors
// are such objects too, and no rules.
func (l *loader) warnOfSavedObject(d document.Document) {
	if d.Table["type"] == "alert" {
		l.skipped["saved object"]++
		l.warn(d.Path, d.Line, "attributes", "the rule does not run, because it was exported as a saved object: export it in Kibana under Security > Rules")
	}
}

// ruleKeys matches a key that only a rule has, in TOML, JSON or YAML.
var ruleKeys = regexp.MustCompile(`(?m)(^|[{,])[ \t]*"?(rule_id|new_terms_fields|new_terms)"?[ \t]*[=:]|^[ \t]*\[+rule[.\]]`)

// warnOfUnread warns about a file or a link in a folder that is not read, although it
// looks like a rule or a folder.
func (l *loader) warnOfUnread(path string, d fs.DirEntry) {
	if d.IsDir() {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return
	case info.IsDir():
		l.warn(path, 0, "", "this link to a folder is not followed: name the folder itself")
		return
	// Others may have been renamed so that they do not run, or show a rule as a text.
	case !info.Mode().IsRegular(), !slices.Contains([]string{"", ".txt", ".yaml", ".yml", ".jsonl", ".tml"}, document.Extension(path)):
		return
	}
	file, err := os.Open(path)
	if err != nil {
		return // a value list that cannot be read is an error where it is used
	}
	defer file.Close()
	beginning, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err == nil && ruleKeys.Match(beginning) {
		l.warn(path, 0, "", "it looks like a rule and is not read: end its name in .toml, .ndjson or .json")
	}
}
