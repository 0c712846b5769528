package rule

import (
	"errors"
	"fmt"
	"time"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// Settings apply to the searches of all rules.
type Settings struct {
	Indices      []string    // replace those of a rule; nil keeps them
	Exclude      []kql.Query // events to ignore
	MissingTerms bool        // whether the absence of a new-terms field counts as a term
	PageSize     int         // of candidates; 0 means the default
}

// An ExpiredException is an exception of a rule that excludes nothing any more.
type ExpiredException struct {
	Rule string // its name
	Exception
}

// Apply applies the settings to the rules as Rule.Apply does, and adds what these say to
// Warnings and Expired. It drops the rules that cannot be used; its error joins an *Error
// for each.
func (l *Library) Apply(s Settings, now time.Time) error {
	var rules []Rule
	var problems []error
	for _, r := range l.Rules {
		expired, warning, err := r.Apply(s, now)
		if warning != nil {
			l.Warnings = append(l.Warnings, warning)
		}
		for _, e := range expired {
			l.Expired = append(l.Expired, ExpiredException{r.Name, e})
		}
		if problems = append(problems, err); err == nil {
			rules = append(rules, r)
		}
	}
	l.Rules = rules
	return errors.Join(problems...)
}

// Apply applies the settings to the rule's search, which then has the exceptions in
// force at a time, and wants the event fields of alerts. expired are the other
// exceptions. warning may be nil. The error is an *Error.
func (r *Rule) Apply(s Settings, now time.Time) (expired []Exception, warning *Warning, err error) {
	if warning, err = r.readFrom(s.Indices); err != nil {
		return nil, nil, err
	}
	if err := elastic.FitsPath(r.Search.Indices); err != nil {
		return nil, warning, &Error{Path: r.Name, Err: fmt.Errorf("index: %w", err)}
	}
	r.Search.Exclude, r.Search.MissingTerms, r.Search.PageSize = s.Exclude, s.MissingTerms, s.PageSize
	r.Search.Exceptions, expired = r.ExceptionsAt(now)
	r.Search.Wanted = append(fields.EventFields(), r.Search.Wanted...)
	return expired, warning, nil
}

// readFrom replaces the rule's indices, if there are any in indices. It returns a
// *Warning or nil. Its error is about a rule with a data view instead of indices.
func (r *Rule) readFrom(indices []string) (*Warning, error) {
	own := r.Search.Indices
	if len(indices) > 0 {
		r.Search.Indices = indices
	}
	switch {
	case len(own) > 0:
		return nil, nil
	case len(indices) == 0:
		return nil, &Error{Path: r.Source, Err: errors.New("it has a data_view_id, which newterms does not read, and no index: " +
			"write the index patterns of the data view into index, or set NEWTERMS_INDEX")}
	}
	return &Warning{r.path, r.dataViewLine, "data_view_id", "data_view_id has no effect: NEWTERMS_INDEX names the indices"}, nil
}

// ExceptionsAt returns the exceptions in force at a time, and those that have expired.
func (r Rule) ExceptionsAt(now time.Time) (inForce []query.Exception, expired []Exception) {
	for _, e := range r.Exceptions {
		if !e.Expires.IsZero() && !e.Expires.After(now) {
			expired = append(expired, e)
		} else {
			inForce = append(inForce, e.Exception)
		}
	}
	return inForce, expired
}
