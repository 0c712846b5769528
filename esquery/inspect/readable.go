package inspect

import (
	"context"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// ReadableEvents are what a user may read of a name or pattern.
type ReadableEvents struct {
	Indices []string // matching open indices, sorted
	Events  int64    // in a range of time
}

// Less reports whether the user may read less than another.
func (e ReadableEvents) Less(than ReadableEvents) bool {
	return len(e.Indices) < len(than.Indices) || e.Events < than.Events
}

// Readable returns the indices of a name or pattern that the user may read, and the
// number of their events in a range, which the timestamps of the search date. It is no
// error if there are none. It returns an *access.NameError or the error of a request.
func Readable(ctx context.Context, c *elastic.Client, pattern string, s query.Search, r query.Range) (ReadableEvents, error) {
	all := query.Search{Indices: []string{pattern}, Timestamp: s.Timestamp, Fallback: s.Fallback}
	m, err := access.FieldTypes(ctx, c, all.Indices, []string{s.Timestamp}, true)
	if err != nil || len(m.Indices) == 0 {
		return ReadableEvents{}, err
	}
	compiled, err := query.Compile(all, m)
	if err != nil {
		return ReadableEvents{}, err
	}
	var answer struct {
		Events elastic.DocCount `json:"events"`
	}
	if err := c.Search(ctx, all.Request(elastic.Aggregate(dsl{"events": everything()}, compiled.Within(r))), &answer); err != nil {
		return ReadableEvents{}, err
	}
	return ReadableEvents{m.Indices, answer.Events.Count}, nil
}
