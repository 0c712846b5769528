package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// A NewestAlert is an alert in a list of the newest.
type NewestAlert struct {
	ID        string
	FirstSeen time.Time
	Severity  string
	Status    workflow.Status
	Reason    string // of the alert
	Closing   string // the reason of the workflow status; "" if there is none
	// Assignees are the ids of those who work on it.
	Assignees []string
	// Document is the whole document in JSON, without its _id.
	Document json.RawMessage
}

// Newest calls each with the newest alerts that match a query in Query DSL, at most
// limit, newest first. Their pairs were first seen in [from, to); a zero time is no
// limit. Newest returns how many match in all.
func (s *Store) Newest(ctx context.Context, query map[string]any, from, to time.Time, limit int, each func(NewestAlert) error) (total int64, err error) {
	var filters []dsl
	for bound, at := range map[string]time.Time{"gte": from, "lt": to} {
		if !at.IsZero() {
			filters = append(filters, dsl{"range": dsl{"newterms.first_seen": dsl{bound: words.Stamp(at)}}})
		}
	}
	if query != nil {
		filters = append(filters, query)
	}
	listed, err := s.newest(ctx, filters, limit, each)
	if err != nil || listed < limit {
		return int64(listed), err
	}
	return s.count(ctx, filters)
}

func (s *Store) newest(ctx context.Context, filters []dsl, limit int, each func(NewestAlert) error) (listed int, err error) {
	return eachNewest(ctx, s, filters, nil, limit, func(id string, document json.RawMessage) error { return each(readNewest(id, document)) })
}

// maxNewestPage is how many alerts one search returns: some 5 MB.
const maxNewestPage = 1000

// eachNewest calls each with the newest alerts that match filters, at most limit, newest
// first, and returns how many there were. It reads some fields of their documents into a
// T; nil is all fields.
func eachNewest[T any](ctx context.Context, s *Store, filters []dsl, fields []string, limit int, each func(id string, document T) error) (int, error) {
	type hit struct {
		ID     string `json:"_id"`
		Source T      `json:"_source"`
		elastic.Sorted
	}
	listed := 0
	body := func(size int) dsl { return newestBody(filters, fields, min(size, limit-listed)) }
	for found, err := range elastic.InOrder[hit](ctx, s.client, elastic.Search{Indices: []string{s.alertsTarget}}, maxNewestPage, body) {
		if err != nil {
			return 0, fmt.Errorf("list alerts: %w", err)
		}
		if err := each(found.ID, found.Source); err != nil {
			return 0, err
		}
		if listed++; listed == limit {
			break
		}
	}
	return listed, nil
}

func (s *Store) count(ctx context.Context, filters []dsl) (int64, error) {
	var answer struct {
		Alerts struct {
			Value int64 `json:"value"`
		} `json:"alerts"`
	}
	body := elastic.Aggregate(dsl{"alerts": dsl{"value_count": dsl{"field": "kibana.alert.uuid"}}}, filters...)
	if err := s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: body}, &answer); err != nil {
		return 0, fmt.Errorf("count alerts: %w", err)
	}
	return answer.Alerts.Value, nil
}

func newestBody(filters []dsl, fields []string, size int) dsl {
	body := dsl{
		"size": size, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": filters}},
		"sort": []dsl{{"newterms.first_seen": "desc"}, {"kibana.alert.uuid": "asc"}},
	}
	if fields != nil {
		body["_source"] = fields
	}
	return body
}

// readNewest reads what others may have changed: a value of another type counts as none.
func readNewest(id string, document json.RawMessage) NewestAlert {
	a := NewestAlert{ID: id, Document: document}
	var source map[string]any
	if json.Unmarshal(document, &source) != nil {
		return a
	}
	d := workflow.Alert(source)
	a.FirstSeen, _ = time.Parse(time.RFC3339, d.Text("newterms.first_seen"))
	a.Severity, a.Status, a.Reason = d.Text("kibana.alert.severity"), d.Status(), d.Text("kibana.alert.reason")
	a.Closing = d.Text("kibana.alert.workflow_reason")
	for _, id := range d.Assignees() {
		if text, ok := id.(string); ok {
			a.Assignees = append(a.Assignees, text)
		}
	}
	return a
}
