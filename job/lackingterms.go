package job

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
)

// LackingTerms counts the matching events of a window that lack a new-terms field.
// Nobody can know whether they are first occurrences.
type LackingTerms query.Lacking

func (l *LackingTerms) Error() string {
	return fmt.Sprintf("%s, because a new-terms field has no indexed value (%s)",
		words.Plural(l.Any, "matching event is skipped", "matching events are skipped"), strings.Join(l.Fields(), ", "))
}

func (l *LackingTerms) Action() string { return "terms-lacking" }

func (l *LackingTerms) Advice() string { return TermAdvice(l.Fields()...) }

// TermAdvice returns the advice about new-terms fields that events lack.
func TermAdvice(fields ...string) string {
	const count = "count its absence as a term with NEWTERMS_MISSING_TERMS=include"
	for _, field := range fields {
		if strings.HasPrefix(field, "cloud.") {
			return "cloud.* of Okta events does not come from Okta but from the host of the Elastic Agent (add_cloud_metadata): run the agent on a cloud host, " +
				"set the field in the ingest pipeline logs-okta.system@custom, or " + count
		}
	}
	return "set the field at ingest, or " + count
}

func (l *LackingTerms) Attrs() []any {
	return []any{"events", l.Any, "lacking", strings.Join(l.Fields(), ", ")}
}

// Fields lists the lacking fields, each with its number of events, and how many of
// these have a value that is not indexed.
func (l *LackingTerms) Fields() []string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(l.ByField)) {
		if n := l.ByField[field]; n > 0 {
			text := fmt.Sprintf("%s: %d", field, n)
			if ignored := l.Ignored[field]; ignored > 0 {
				text += fmt.Sprintf(", %d with a value that is not indexed because it is too long or malformed", ignored)
			}
			fields = append(fields, text)
		}
	}
	return fields
}

// NewLackingTerms returns counts of zero.
func NewLackingTerms() LackingTerms {
	return LackingTerms{ByField: map[string]int64{}, Ignored: map[string]int64{}}
}

// Add adds the counts of a part.
func (l *LackingTerms) Add(more query.Lacking) {
	l.Any += more.Any
	for field, n := range more.ByField {
		l.ByField[field] += n
		l.Ignored[field] += more.Ignored[field]
	}
}
