package esquery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"newterms/esquery/elastic"
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
func (s *Source) withoutSource(ctx context.Context, r Range) (without, unread []string, err error) {
	var failing []string
	for {
		_, err := s.newest(ctx, s.newestSources(r, not(dsl{"terms": dsl{"_index": append([]string{}, failing...)}}), dsl{"includes": []string{""}}))
		more := failedAt(err)
		if len(more) == 0 || len(failing) >= maxUnread || slices.Contains(failing, more[0]) {
			if err != nil {
				return nil, nil, fmt.Errorf("look at the newest events: %w", s.explain(ctx, err))
			}
			break
		}
		failing = append(failing, more...)
	}
	for _, index := range failing {
		newest, err := s.newest(ctx, s.newestSources(r, dsl{"term": dsl{"_index": index}}, true))
		switch {
		case elastic.ShardFailed(err):
			unread = append(unread, index)
		case err != nil:
			return nil, nil, fmt.Errorf("look at the newest event of %s: %w", index, s.explain(ctx, err))
		case slices.ContainsFunc(newest, func(e foundEvent) bool { return e.Source == nil }):
			without = append(without, index)
		}
	}
	return without, unread, nil
}

// newest returns the newest events of indices.
func (s *Source) newest(ctx context.Context, body dsl) ([]foundEvent, error) {
	var answer struct {
		Indices struct {
			Buckets []struct {
				Newest struct {
					Hits struct {
						Hits []foundEvent `json:"hits"`
					} `json:"hits"`
				} `json:"newest"`
			} `json:"buckets"`
		} `json:"indices"`
	}
	err := s.client.Search(ctx, s.request(body), &answer)
	var events []foundEvent
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
	return sortedOnce(slices.DeleteFunc(indices, func(index string) bool { return index == "" }))
}
