package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MaxBatch is how many keys AlreadyAlerted takes at once: a page of candidates,
// and no more than the 65,536 values of a terms filter.
const MaxBatch = 10_000

// AlreadyAlerted reports for each of at most MaxBatch keys, in order, whether
// the alerts target holds an alert of its pair first seen at most history
// before or after it. This sees what an _id cannot: an event that arrived late
// and moved a first occurrence, and an alert in an older backing index.
func (s *Store) AlreadyAlerted(ctx context.Context, keys []Key, history time.Duration) ([]bool, error) {
	alerted, err := s.alreadyAlerted(ctx, keys, history)
	if tooMuch(err) && len(keys) > 1 {
		half := len(keys) / 2
		first, err := s.AlreadyAlerted(ctx, keys[:half], history)
		if err != nil {
			return nil, err
		}
		second, err := s.AlreadyAlerted(ctx, keys[half:], history)
		return append(first, second...), err
	}
	if err != nil {
		return nil, fmt.Errorf("look for alerts that exist: %w", err)
	}
	return alerted, nil
}

// tooMuch reports whether a question about fewer keys may get an answer.
func tooMuch(err error) bool {
	var refused *ResponseError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Type {
	case "too_many_buckets_exception", "circuit_breaking_exception", "too_many_clauses", "too_many_nested_clauses":
		return true
	}
	return refused.Status == http.StatusRequestEntityTooLarge || strings.Contains(refused.Reason, "max_terms_count")
}

func (s *Store) alreadyAlerted(ctx context.Context, keys []Key, history time.Duration) ([]bool, error) {
	alerted := make([]bool, len(keys))
	positions := map[string]int{}
	for i, k := range keys {
		positions[k.Pair] = i
	}
	var after json.RawMessage
	for {
		var answer struct {
			Alerts *struct {
				AfterKey json.RawMessage `json:"after_key"`
				Buckets  []struct {
					Key struct {
						Pair      string `json:"pair"`
						FirstSeen int64  `json:"first_seen"`
					} `json:"key"`
				} `json:"buckets"`
			} `json:"alerts"`
		}
		found, err := s.search(ctx, s.alertsTarget, alreadyAlertedBody(keys, history, after), &answer)
		switch {
		case err != nil:
			return nil, err
		case !found:
			return alerted, nil // no alert was ever written
		case answer.Alerts == nil:
			return nil, fmt.Errorf("search %s: %w: it holds no alerts", s.alertsTarget, ErrIncomplete)
		case after != nil && bytes.Equal(after, answer.Alerts.AfterKey):
			return nil, fmt.Errorf("search %s: %w: the page after %s ends where it began", s.alertsTarget, ErrIncomplete, after)
		}
		for _, b := range answer.Alerts.Buckets {
			i, ok := positions[b.Key.Pair]
			if ok && keys[i].FirstSeen.Sub(time.UnixMilli(b.Key.FirstSeen)).Abs() <= history {
				alerted[i] = true
			}
		}
		if len(answer.Alerts.Buckets) < MaxBatch {
			return alerted, nil
		}
		after = answer.Alerts.AfterKey
	}
}

// alreadyAlertedBody lists the alerts of the pairs around their times.
func alreadyAlertedBody(keys []Key, history time.Duration, after json.RawMessage) dsl {
	pairs := make([]string, len(keys))
	earliest, latest := keys[0].FirstSeen, keys[0].FirstSeen
	for i, k := range keys {
		pairs[i] = k.Pair
		if k.FirstSeen.Before(earliest) {
			earliest = k.FirstSeen
		}
		if k.FirstSeen.After(latest) {
			latest = k.FirstSeen
		}
	}
	composite := dsl{"size": MaxBatch, "sources": []dsl{
		{"pair": dsl{"terms": dsl{"field": "newterms.pair"}}},
		{"first_seen": dsl{"terms": dsl{"field": "newterms.first_seen"}}},
	}}
	if after != nil {
		composite["after"] = after
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"terms": dsl{"newterms.pair": pairs}},
			{"range": dsl{"newterms.first_seen": dsl{
				"gte": earliest.Add(-history).UnixMilli(), "lte": latest.Add(history).UnixMilli(), "format": "epoch_millis",
			}}},
		}}},
		"aggs": dsl{"alerts": dsl{"composite": composite}},
	}
}

// ownAlerts returns which of the ids a run has written: those that an attempt
// wrote whose answer was lost, before it was sent again.
func (s *Store) ownAlerts(ctx context.Context, runID string, ids []string) (map[string]bool, error) {
	var answer struct {
		IDs struct {
			Buckets []struct {
				Key string `json:"key"`
			} `json:"buckets"`
		} `json:"ids"`
	}
	own := map[string]bool{}
	_, err := s.search(ctx, s.alertsTarget, dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"terms": dsl{"kibana.alert.uuid": ids}}, {"term": dsl{"newterms.run.id": runID}},
		}}},
		"aggs": dsl{"ids": dsl{"terms": dsl{"field": "kibana.alert.uuid", "size": len(ids)}}},
	}, &answer)
	for _, b := range answer.IDs.Buckets {
		own[b.Key] = true
	}
	return own, err
}

type dsl = map[string]any
