package cases

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery/elastic/words"
	"newterms/job/casefile"
	"newterms/job/explain"
)

// found is an alert of a run, as far as cases compare it.
type found struct {
	Terms     []any     `json:"kibana.alert.new_terms"`
	FirstSeen time.Time `json:"newterms.first_seen"`
	Severity  any       `json:"kibana.alert.severity"`
	Name      any       `json:"kibana.alert.rule.name"`
	RiskScore any       `json:"kibana.alert.risk_score"`

	at time.Duration
}

func readAlert(a alert.Alert, zero time.Time) (found, error) {
	text, err := a.JSON()
	if err != nil {
		return found{}, err
	}
	var one found
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&one); err != nil {
		return found{}, fmt.Errorf("read the alert: %w", err)
	}
	one.at = one.FirstSeen.Sub(zero)
	return one, nil
}

// expected is an alert of a case with its terms in order.
type expected struct {
	casefile.Alert
	terms []any
}

func expectedOf(fields []string, c casefile.Case) ([]expected, error) {
	all := make([]expected, len(c.Alerts))
	for i, a := range c.Alerts {
		terms := a.Terms
		problem := func(format string, args ...any) error {
			return &casefile.Error{Path: c.Path, Line: a.Line, Err: fmt.Errorf(format, args...)}
		}
		for _, field := range fields {
			if value, ok := a.ByField[field]; ok {
				terms = append(terms, value)
			} else if a.ByField != nil {
				return nil, problem("terms lack %s: the new-terms fields are %s", field, strings.Join(fields, ", "))
			}
		}
		if len(terms) != len(fields) || len(a.ByField) > len(fields) {
			return nil, problem("terms has %s, and the rule has %s: write one value for each of %s", words.Plural(max(len(terms), len(a.ByField)), "value", "values"),
				words.Plural(len(fields), "new-terms field", "new-terms fields"), strings.Join(fields, ", "))
		}
		if a.At != nil && (*a.At < c.From || *a.At >= c.To) {
			return nil, problem("no run covers %s: the window is from %s to %s", casefile.Offset(*a.At), casefile.Offset(c.From), casefile.Offset(c.To))
		}
		all[i] = expected{a, terms}
	}
	return all, nil
}

// Kinds of a Difference.
const (
	Missing    = "missing"    // an expected alert did not come
	Unexpected = "unexpected" // an alert came that is not expected
	Other      = "other"      // an expected alert came with other values
)

// A Difference is an alert that did not come, or came otherwise.
type Difference struct {
	Kind  string
	Line  int // of the expected alert; 0 if there is none
	Terms []any
	// At is the time of the first occurrence, relative to zero; nil if any is expected.
	At *time.Duration
	// Values are the differing values of Other.
	Values []Value
	// Pair explains the pair, or Nothing says why none of its events matches. Both are nil
	// for Other.
	Pair    *explain.Pair
	Nothing *explain.Nothing
}

// A Value is a value that differs.
type Value struct{ Field, Want, Got string }

// compare finds for each expected alert one that came.
func compare(want []expected, got []found) []Difference {
	var all []Difference
	left := slices.Clone(got)
	// Those with a time first: others may be any of the pair's.
	want = slices.Clone(want)
	slices.SortStableFunc(want, func(a, b expected) int { return cmp.Compare(anyTime(a), anyTime(b)) })
	for _, w := range want {
		i := slices.IndexFunc(left, func(f found) bool { return w.isOf(f) })
		if i < 0 {
			all = append(all, Difference{Kind: Missing, Line: w.Line, Terms: w.terms, At: w.At})
			continue
		}
		if values := w.differing(left[i]); len(values) > 0 {
			at := left[i].at
			all = append(all, Difference{Kind: Other, Line: w.Line, Terms: w.terms, At: &at, Values: values})
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, f := range left {
		all = append(all, Difference{Kind: Unexpected, Terms: f.Terms, At: &f.at})
	}
	return all
}

func anyTime(e expected) int {
	if e.At == nil {
		return 1
	}
	return 0
}

func (e expected) isOf(f found) bool {
	return slices.EqualFunc(e.terms, f.Terms, func(a, b any) bool { return termText(a) == termText(b) }) && (e.At == nil || *e.At == f.at)
}

// termText returns a term in the form in which cases have it.
func termText(term any) string {
	if term == nil {
		return explain.MissingValue
	}
	return fmt.Sprint(term)
}

// differing lists the values that differ.
func (e expected) differing(f found) []Value {
	var values []Value
	for _, v := range []Value{
		{"severity", e.Severity, fmt.Sprint(f.Severity)}, {"name", e.Name, fmt.Sprint(f.Name)},
	} {
		if v.Want != "" && v.Want != v.Got {
			values = append(values, v)
		}
	}
	if e.RiskScore != nil {
		if want, got := fmt.Sprint(*e.RiskScore), fmt.Sprint(f.RiskScore); want != got {
			values = append(values, Value{"risk_score", want, got})
		}
	}
	return values
}
