package compare

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kibana"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/datemath"
	"newterms/job/rule"
)

// An edition is a revision of Kibana's rule, compared with ours.
type edition struct {
	kibana.Edition
	lookback, interval, history time.Duration
	// differs lists the parameters that decide which events are alerts and that ours has
	// otherwise.
	differs []string
	matches query.DSL // its query; nil if it is ours, or cannot be read
}

// editionKey identifies an edition: the saved object of the rule, and the revision.
type editionKey struct {
	rule     string
	revision int64
}

func newEdition(e kibana.Edition, r rule.Rule) *edition {
	known := &edition{Edition: e, lookback: r.Lookback, interval: intervalOf(r), history: r.History}
	if d, err := datemath.Ago(text(e.Parameters["from"])); err == nil {
		known.lookback = d
	}
	for _, interval := range []string{e.Interval, text(e.Parameters["interval"])} {
		if d, err := datemath.Duration(interval); err == nil && d > 0 {
			known.interval = d
			break
		}
	}
	if d, err := datemath.Ago(text(e.Parameters["history_window_start"])); err == nil {
		known.history = d
	}
	for _, name := range []string{"query", "index", "filters", "new_terms_fields", "timestamp_override", "history_window_start"} {
		if theirs, ok := e.Parameters[name]; ok && !sameParameter(name, theirs, r.Parameters[name]) {
			known.differs = append(known.differs, name)
		}
	}
	return known
}

// sameParameter compares JSON values. Of indices and filters the order does not matter, and
// the absence of one is an empty one.
func sameParameter(name string, a, b any) bool {
	switch name {
	case "query":
		return strings.Join(strings.Fields(text(a)), " ") == strings.Join(strings.Fields(text(b)), " ")
	case "history_window_start":
		x, errX := datemath.Ago(text(a))
		y, errY := datemath.Ago(text(b))
		return errX == nil && errY == nil && x == y || text(a) == text(b)
	case "timestamp_override":
		return text(a) == text(b)
	}
	return reflect.DeepEqual(asSet(a), asSet(b))
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// asSet returns the elements of a list as JSON, sorted.
func asSet(value any) []string {
	list := reflect.ValueOf(value)
	set := []string{}
	if value == nil || list.Kind() != reflect.Slice {
		return set
	}
	for i := range list.Len() {
		text, err := json.Marshal(list.Index(i).Interface())
		if err != nil {
			text = []byte(err.Error())
		}
		set = append(set, string(text))
	}
	slices.Sort(set)
	return set
}

// intervalOf returns how often Kibana would run a rule of ours.
func intervalOf(r rule.Rule) time.Duration {
	d, err := datemath.Duration(text(r.Parameters["interval"]))
	if err != nil {
		return 0
	}
	return d
}

// has reports whether a parameter differs.
func (e *edition) has(name string) bool { return e != nil && slices.Contains(e.differs, name) }

// searches reports whether a pattern of the edition selects an index, or the data stream
// whose backing index it is.
func (e *edition) searches(index string) bool {
	stream := index
	if backing, ok := strings.CutPrefix(index, ".ds-"); ok { // .ds-STREAM-DATE-GENERATION
		parts := strings.Split(backing, "-")
		stream = strings.Join(parts[:max(1, len(parts)-2)], "-")
	}
	patterns, _ := e.Parameters["index"].([]any)
	return slices.ContainsFunc(patterns, func(pattern any) bool {
		return elastic.Matches(text(pattern), index) || elastic.Matches(text(pattern), stream)
	})
}

// parsed returns the query of an edition that differs in it; ok is false if there is none,
// or if it is no KQL.
func (e *edition) parsed() (q kql.Query, ok bool) {
	if !e.has("query") || e.has("filters") {
		return q, false
	}
	q, err := kql.Parse(text(e.Parameters["query"]))
	return q, err == nil
}
