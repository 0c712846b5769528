package limits

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery"
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
)

// Mistyped lists the fields that no index maps, where nothing was found: their names
// may be typing errors.
type Mistyped struct{ Fields []MistypedField }

// A MistypedField is a field that no index maps.
type MistypedField struct {
	Name      string   `json:"field"`
	Exclusion bool     `json:"of_exclusion,omitempty"` // named by exclusions alone
	Similar   []string `json:"did_you_mean,omitempty"` // mapped fields, the most similar first
}

func (f MistypedField) String() string {
	text := "no index maps " + f.Name
	if f.Exclusion {
		text += ", which an exclusion names"
	}
	return text + DidYouMean(f.Similar)
}

// DidYouMean names similar fields after a mistyped one; it is "" if there are none.
func DidYouMean(similar []string) string {
	if len(similar) == 0 {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", strings.Join(similar, " or "))
}

func (m *Mistyped) Error() string {
	return words.Join(m.Fields, "; ")
}

func (m *Mistyped) Action() string { return "fields-mistyped" }

func (m *Mistyped) Advice() string {
	return "correct the names in the rule, --exclude, NEWTERMS_EXCLUDE, NEWTERMS_EXCLUDE_FILE or the exception list"
}

// FindMistyped lists the fields of the rule, its exclusions and the given names that no
// index maps. It sends a request only if there are any. If that fails, it knows of no
// similar fields: they are only a hint.
func FindMistyped(ctx context.Context, source *esquery.Source, given ...string) []MistypedField {
	ofRule, ofExclusions := append(source.Unmapped(), given...), source.UnmappedExclusions()
	names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(ofRule, ofExclusions))))
	similar, _ := inspect.SimilarFields(ctx, source.Client, source.Search.Indices, names)
	fields := []MistypedField{}
	for _, name := range names {
		fields = append(fields, MistypedField{name, !slices.Contains(ofRule, name), similar[name]})
	}
	return fields
}

// WarnOfMistyped warns with a *Mistyped about an answer of nothing. It leaves out what
// WarnOfSource has named and what resembles no other field. Unless all is set, it also
// leaves out fields of exclusions that resemble no other: the settings' exclusions are
// for all rules, whose events have different fields.
func WarnOfMistyped(ctx context.Context, source *esquery.Source, all bool, warn func(error)) {
	fields := slices.DeleteFunc(FindMistyped(ctx, source), func(f MistypedField) bool {
		return len(f.Similar) == 0 && !(all && f.Exclusion)
	})
	if len(fields) > 0 {
		warn(&Mistyped{fields})
	}
}
