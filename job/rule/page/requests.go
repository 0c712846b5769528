package page

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/job/rule"
)

// Requests returns the requests that a first scheduled run at a time would send, for one
// pair whose terms are the names of the fields in <>. It treats every field as a
// keyword, and sends nothing.
func Requests(r rule.Rule, now time.Time) ([]esquery.Request, error) {
	window, history, pairs := example(r, now)
	return esquery.Requests(r.Search, window, history, pairs)
}

// OnCluster is Of with the requests, and with the types of the fields on a cluster.
func OnCluster(ctx context.Context, client *elastic.Client, r rule.Rule, now time.Time) (Page, error) {
	p := Of(r, now)
	source, err := esquery.Open(ctx, client, r.Search)
	if err != nil {
		return p, fmt.Errorf("rule %s: %w", r.Name, err)
	}
	p.Types, p.Requests = source.Types(), source.Requests(example(r, now))
	return p, nil
}

func example(r rule.Rule, now time.Time) (window, history query.Range, pairs []esquery.Candidate) {
	window = query.Range{From: now.Add(-r.Lookback), To: now}
	history = query.Range{From: window.From.Add(-r.History), To: window.From}
	pair := esquery.Candidate{First: now, Terms: make([]any, len(r.Search.Fields))}
	for i, field := range r.Search.Fields {
		pair.Terms[i] = "<" + field + ">"
	}
	return window, history, []esquery.Candidate{pair}
}
