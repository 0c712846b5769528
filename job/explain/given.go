package explain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

// MissingValue stands for the absence of a field.
const MissingValue = "(missing)"

// longestTerm is the number of bytes of Lucene's longest term.
const longestTerm = 32_766

// ParseTerms parses texts of the form FIELD=VALUE, each field once.
func ParseTerms(texts []string) (query.Values, error) {
	values := query.Values{}
	for _, text := range texts {
		field, value, ok := strings.Cut(text, "=")
		switch {
		case !ok || field == "":
			return nil, fmt.Errorf("%q is not FIELD=VALUE", text)
		case strings.Contains(field, "*"):
			return nil, fmt.Errorf("%q is no field: * is no wildcard here", field)
		case values[field] != nil:
			return nil, fmt.Errorf("%s is there twice: explain one value at a time", field)
		case len(value) > longestTerm:
			return nil, fmt.Errorf("the value of %s has %d bytes, and Elasticsearch keeps no term of more than %d", field, len(value), longestTerm)
		case value == MissingValue:
			values[field] = []any{nil}
		default:
			values[field] = []any{value}
		}
	}
	return values, nil
}

// RulesFor returns the rules that have most of the given fields as new-terms fields. The
// other fields are of their events.
func RulesFor(values query.Values, rules []rule.Rule) []rule.Rule {
	var best []rule.Rule
	most := -1
	for _, r := range rules {
		n := len(values) - len(otherFields(r, values))
		if n > most {
			best, most = nil, n
		}
		if n == most {
			best = append(best, r)
		}
	}
	return best
}

// otherFields lists the given fields that are no new-terms fields of the rule, sorted.
func otherFields(r rule.Rule, values query.Values) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(values)), func(field string) bool { return slices.Contains(r.Search.Fields, field) })
}

// A ValueError reports that a given value does not fit its field.
type ValueError struct {
	fields []string // of one of them
	err    error
}

func (e *ValueError) Error() string {
	text := strings.Join(e.fields, " ") + ": " + e.err.Error()
	if strings.Contains(text, "IP string literal") {
		text += "; a network is written 203.0.113.0/24"
	}
	return text
}

// asValueError returns a *ValueError if err says that a value does not fit its field.
// Advice about rules would mislead then, so it does not wrap err.
func asValueError(err error, values query.Values) error {
	var refused *query.MappingError
	if !errors.As(err, &refused) || refused.Part != "" { // of the rule
		return err
	}
	invalid := &ValueError{err: err}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		if text, ok := values[field][0].(string); ok && (strings.Contains(err.Error(), text) || len(values) == 1) {
			invalid.fields = append(invalid.fields, field)
		}
	}
	return invalid
}

// An AlertError reports an alert that cannot be explained: it is not there, or of none of
// the rules.
type AlertError struct{ err error }

func (e *AlertError) Error() string { return e.err.Error() }

// ForAlert returns the Explainer of a stored alert, without its functions. id may be the
// beginning of its id. The Explainer looks at what the pair did afterwards until now.
func ForAlert(ctx context.Context, store *alerts.Store, rules []rule.Rule, id string, now time.Time) (*Explainer, error) {
	full, err := store.FullIDs(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	a, details, err := store.Find(ctx, full[0])
	if unknown, ok := errors.AsType[*alerts.UnknownAlertsError](err); ok {
		err = &AlertError{fmt.Errorf("%s has no alert %q: an id is the _id of an alert, or its first digits, as newterms alerts shows it", unknown.Target, id)}
	}
	if err != nil {
		return nil, err
	}
	r, err := ruleOf(a, rules)
	if err != nil {
		return nil, &AlertError{err}
	}
	details.Related, err = store.Related(ctx, a, details.About)
	return &Explainer{Rule: r, GivenAlert: &a, Details: &details, Until: now.UTC().Truncate(time.Millisecond)}, err
}

// ruleOf returns the one of the rules that has made an alert.
func ruleOf(a alerts.StoredAlert, rules []rule.Rule) (rule.Rule, error) {
	i := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.ID == a.RuleID })
	if i < 0 {
		return rule.Rule{}, fmt.Errorf("the alert is of the rule %s (%s): give it with --rule", a.RuleName, a.RuleID)
	}
	if r := rules[i]; len(a.Terms) == len(a.Fields) && slices.Equal(a.Fields, r.Search.Fields) {
		return r, nil
	}
	return rule.Rule{}, fmt.Errorf("the alert is of the new-terms fields %s, and the rule has %s now", strings.Join(a.Fields, ", "), strings.Join(rules[i].Search.Fields, ", "))
}

// About returns the values and the window of GivenAlert.
func (e *Explainer) About() (query.Values, job.Window) {
	a := e.GivenAlert
	values := query.Values{}
	for i, field := range a.Fields {
		values[field] = []any{a.Terms[i]}
	}
	window := job.Window{From: a.FirstSeen, To: a.FirstSeen.Add(time.Millisecond)}
	if e.Details.WindowTo.After(window.To) { // so that the number of events is the alert's
		window.To = e.Details.WindowTo
	}
	return values, window
}
