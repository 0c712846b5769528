package job_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/rule"
)

type dsl = map[string]any

// others asks as others would, about a rule with two new-terms fields that are
// keywords and a timestamp that every event has.
type others struct {
	client *elastic.Client
	rule   rule.Rule
	query  dsl
}

func newOthers(c *elastic.Client, r rule.Rule) (others, error) {
	fields := kql.Fields{}
	for _, name := range r.Search.Query.Names() {
		fields[name] = kql.Field{Types: []string{"keyword"}}
	}
	fields["okta.security_context.is_proxy"] = kql.Field{Types: []string{"boolean"}}
	query, err := r.Search.Query.Compile(fields)
	return others{c, r, query}, err
}

type otherPair struct {
	Key   map[string]string
	First struct{ Value *float64 }
	Event struct {
		Hits struct {
			Hits []struct {
				Source json.RawMessage `json:"_source"`
				Fields json.RawMessage
			}
		}
	}
}

func (p otherPair) terms(r rule.Rule) [2]string {
	return [2]string{p.Key[r.Search.Fields[0]], p.Key[r.Search.Fields[1]]}
}

// composite lists pairs, with their first time and other aggregations, of the
// events that match filters, and the key after which the next page begins.
func (o others) composite(ctx context.Context, w job.Window, size int, after json.RawMessage, aggs dsl, filters ...dsl) ([]otherPair, json.RawMessage, error) {
	filters = append([]dsl{o.query, {"range": dsl{o.rule.Search.Timestamp: dsl{"gte": w.From.UnixMilli(), "lt": w.To.UnixMilli(), "format": "epoch_millis"}}}}, filters...)
	composite := dsl{"size": size, "sources": []dsl{
		{o.rule.Search.Fields[0]: dsl{"terms": dsl{"field": o.rule.Search.Fields[0]}}}, {o.rule.Search.Fields[1]: dsl{"terms": dsl{"field": o.rule.Search.Fields[1]}}},
	}}
	if after != nil {
		composite["after"] = after
	}
	var answer struct{ Pairs elastic.Composite[otherPair] }
	pairs := dsl{"composite": composite}
	if aggs != nil {
		pairs["aggs"] = aggs
	}
	err := o.client.Search(ctx, elastic.Search{Indices: o.rule.Search.Indices, IgnoreUnavailable: true, Body: dsl{
		"size": 0, "query": dsl{"bool": dsl{"filter": filters}}, "aggs": dsl{"pairs": pairs},
	}}, &answer)
	return answer.Pairs.Buckets, answer.Pairs.AfterKey, err
}

func (o others) first() dsl { return dsl{"first": dsl{"min": dsl{"field": o.rule.Search.Timestamp}}} }

// kibanaPlan asks as Kibana's rule type does: a composite of 10,000 over the
// window, then batches of 500 pairs as clauses with their first time since the
// history began, then the events of those that are new. The bucket_selector,
// which needs scripts, is done here, to the server's advantage.
func kibanaPlan(r rule.Rule, w job.Window) func(context.Context, *elastic.Client, *measure) error {
	return func(ctx context.Context, c *elastic.Client, m *measure) error {
		o, err := newOthers(c, r)
		if err != nil {
			return err
		}
		for after := json.RawMessage(nil); ; {
			page, next, err := o.composite(ctx, w, 10_000, after, nil)
			if err != nil || len(next) == 0 {
				return err
			}
			m.candidates += len(page)
			for batch := range slices.Chunk(page, 500) {
				if err := o.kibanaBatch(ctx, w, batch, m); err != nil {
					return err
				}
			}
			after = next
		}
	}
}

func (o others) kibanaBatch(ctx context.Context, w job.Window, batch []otherPair, m *measure) error {
	fields := o.rule.Search.Fields
	clauses := func(pairs []otherPair) dsl {
		var should []dsl
		for _, p := range pairs {
			should = append(should, dsl{"bool": dsl{"must": []dsl{{"match": dsl{fields[0]: p.Key[fields[0]]}}, {"match": dsl{fields[1]: p.Key[fields[1]]}}}}})
		}
		return dsl{"bool": dsl{"should": should, "minimum_should_match": 1}}
	}
	whole := job.Window{From: w.From.Add(-o.rule.History), To: w.To}
	seen, _, err := o.composite(ctx, whole, len(batch), nil, o.first(), clauses(batch))
	if err != nil {
		return err
	}
	var fresh []otherPair
	for _, p := range seen {
		if !time.UnixMilli(int64(*p.First.Value)).Before(w.From) {
			fresh = append(fresh, p)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	top := dsl{"top_hits": dsl{"size": 1, "fields": []string{"*"}, "sort": []dsl{{o.rule.Search.Timestamp: "asc"}}}}
	aggs := o.first()
	aggs["event"] = top
	found, _, err := o.composite(ctx, whole, len(fresh), nil, aggs, clauses(fresh))
	if err != nil {
		return err
	}
	for _, p := range found {
		var source map[string]any
		if err := json.Unmarshal(p.Event.Hits.Hits[0].Source, &source); err != nil {
			return err
		}
		o.found(m, p)
	}
	return nil
}

func (o others) found(m *measure, p otherPair) {
	terms := p.terms(o.rule)
	m.found = append(m.found, fmt.Sprint(terms[0], " ", terms[1], " ", int64(*p.First.Value)))
}

// singlePlan lists the candidates as we do, asks for the history of each by
// itself, and for the event of each that is new.
func singlePlan(r rule.Rule, w job.Window) func(context.Context, *elastic.Client, *measure) error {
	return func(ctx context.Context, c *elastic.Client, m *measure) error {
		o, err := newOthers(c, r)
		if err != nil {
			return err
		}
		page, _, err := o.composite(ctx, w, 10_000, nil, o.first())
		if err != nil {
			return err
		}
		m.candidates = len(page)
		for _, p := range page {
			pair := []dsl{{"term": dsl{r.Search.Fields[0]: p.Key[r.Search.Fields[0]]}}, {"term": dsl{r.Search.Fields[1]: p.Key[r.Search.Fields[1]]}}}
			first := time.UnixMilli(int64(*p.First.Value))
			before := job.Window{From: first.Add(-r.History), To: first}
			if seen, _, err := o.composite(ctx, before, 1, nil, o.first(), pair...); err != nil || len(seen) > 0 {
				if err != nil {
					return err
				}
				continue
			}
			top := dsl{"event": dsl{"top_hits": dsl{"size": 1, "fields": []string{"*"}, "sort": []dsl{{r.Search.Timestamp: "asc"}}}}}
			if _, _, err := o.composite(ctx, w, 1, nil, top, pair...); err != nil {
				return err
			}
			o.found(m, p)
		}
		return nil
	}
}
