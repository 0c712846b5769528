package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// maxIndices is how many indices withoutSource checks. maxUnread is how many of them
// may have no _source or an unreadable one: each takes a request.
const (
	maxIndices = 1_000
	maxUnread  = 10
)

// withoutSource lists the indices whose newest matching event in a range has no
// _source, and those where Elasticsearch cannot read it. It recognizes both by shards
// that fail to filter a source.
func withoutSource(ctx context.Context, o *query.Opened, r query.Range) (without, unread []string, err error) {
	var failing []string
	for {
		_, err := newest(ctx, o, newestBody(o, r, query.Not(dsl{"terms": dsl{"_index": append([]string{}, failing...)}}), dsl{"includes": []string{""}}))
		more := failedAt(err)
		if len(more) == 0 || len(failing) >= maxUnread || slices.Contains(failing, more[0]) {
			if err != nil {
				return nil, nil, fmt.Errorf("look at the newest events: %w", o.Diagnose(ctx, err))
			}
			break
		}
		failing = append(failing, more...)
	}
	for _, index := range failing {
		found, err := newest(ctx, o, newestBody(o, r, dsl{"term": dsl{"_index": index}}, true))
		switch {
		case elastic.ShardFailed(err):
			unread = append(unread, index)
		case err != nil:
			return nil, nil, fmt.Errorf("look at the newest event of %s: %w", index, o.Diagnose(ctx, err))
		case slices.ContainsFunc(found, func(e sourceHit) bool { return e.Source == nil }):
			without = append(without, index)
		}
	}
	return without, unread, nil
}

// newestBody fetches the newest matching event in each of some indices.
func newestBody(o *query.Opened, r query.Range, of dsl, source any) dsl {
	newest := dsl{"top_hits": dsl{"size": 1, "_source": source, "sort": newestFirst(o.Search.Timestamp)}}
	indices := dsl{"terms": dsl{"field": "_index", "size": maxIndices}, "aggs": dsl{"newest": newest}}
	return elastic.Aggregate(dsl{"indices": indices}, o.Query, o.Within(r), of)
}

// A sourceHit is an event, of which only the _source is known.
type sourceHit struct {
	Source elastic.Document `json:"_source"`
}

// newest returns the newest events of indices.
func newest(ctx context.Context, o *query.Opened, body dsl) ([]sourceHit, error) {
	var answer struct {
		Indices elastic.Buckets[struct {
			Newest elastic.TopHits[sourceHit] `json:"newest"`
		}] `json:"indices"`
	}
	err := o.Client.Search(ctx, o.Request(body), &answer)
	var events []sourceHit
	for _, b := range answer.Indices.Buckets {
		events = append(events, b.Newest.Hits.Hits...)
	}
	return events, err
}

// failedAt lists the indices with failed shards, each once.
func failedAt(err error) []string {
	var refused *elastic.ResponseError
	if !elastic.ShardFailed(err) || !errors.As(err, &refused) {
		return nil
	}
	var indices []string
	for _, shard := range refused.FailedShards {
		indices = append(indices, shard.Index)
	}
	indices = slices.DeleteFunc(indices, func(index string) bool { return index == "" })
	slices.Sort(indices)
	return slices.Compact(indices)
}
