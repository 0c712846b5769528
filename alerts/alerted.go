package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

type dsl = map[string]any

// MaxBatch is how many keys AlreadyAlerted takes at once: a page of candidates.
// Each is asked for by two pairs, and a terms filter takes 65,536 values.
const MaxBatch = 10_000

// A Lookup says which alerts tell that a pair is already alerted.
type Lookup struct {
	History time.Duration
	Search  string   // of this run; see RunInfo
	Fields  []string // the rule's new-terms fields
}

// alreadyTells reports whether an alert first seen at a time by a search tells
// that a first occurrence at t is already alerted. One at t or at most the
// history after it does: it is the same, or one that a late event has moved to
// t. An earlier one does so only for the same search, whose source may have lost
// the event of that alert since. What another search saw before t counts no
// more: history decides about it, or an exclusion made since would hide the
// user's next proxy.
func (l Lookup) alreadyTells(t, alerted time.Time, search string) bool {
	after := alerted.Sub(t)
	return after >= 0 && after <= l.History || after < 0 && -after <= l.History && search == l.Search && search != ""
}

// AlreadyAlerted reports for each of at most MaxBatch keys, in order, whether
// the alerts target holds an alert that tells so. This sees what an _id cannot:
// an event that arrived late and moved a first occurrence, and an alert in an
// older backing index.
func (s *Store) AlreadyAlerted(ctx context.Context, keys []Key, l Lookup) ([]bool, error) {
	alerted, err := elastic.InHalves(keys, func(keys []Key) ([]bool, error) { return s.alreadyAlerted(ctx, keys, l) })
	if err != nil {
		return nil, fmt.Errorf("look for alerts that exist: %w", err)
	}
	return alerted, nil
}

func (s *Store) alreadyAlerted(ctx context.Context, keys []Key, l Lookup) ([]bool, error) {
	alerted := make([]bool, len(keys))
	positions := map[string]int{}
	for i, k := range keys {
		positions[k.Pair], positions[k.formerPair] = i, i
	}
	pager := elastic.Pager{
		Client: s.client, Search: elastic.Search{Indices: []string{s.alertsTarget}},
		Size: len(keys) + 1, // not full, and so the last, where each pair has one alert
		Body: func(size int, after json.RawMessage) any { return alreadyAlertedBody(keys, l, size, after) },
	}
	for {
		var answer struct {
			Alerts elastic.Composite[struct {
				Key struct {
					Pair      string `json:"pair"`
					FirstSeen int64  `json:"first_seen"`
					Search    string `json:"search"`
				} `json:"key"`
			}] `json:"alerts"`
		}
		ok, err := pager.Next(ctx, &answer, &answer.Alerts)
		if isMissing(err) || err == nil && !ok { // missing: no alert was ever written
			return alerted, nil
		}
		if err != nil {
			return nil, err
		}
		for _, b := range answer.Alerts.Buckets {
			i, ok := positions[b.Key.Pair]
			if ok && l.alreadyTells(keys[i].FirstSeen.Truncate(time.Millisecond), time.UnixMilli(b.Key.FirstSeen), b.Key.Search) {
				alerted[i] = true
			}
		}
	}
}

// alreadyAlertedBody lists the alerts of the pairs around their times. Most
// pairs have none there, and few more than one. Alerts of version 0.1 have
// another pair, which said nothing of the fields.
func alreadyAlertedBody(keys []Key, l Lookup, size int, after json.RawMessage) dsl {
	earliest, latest := keys[0].FirstSeen, keys[0].FirstSeen
	for _, k := range keys {
		if k.FirstSeen.Before(earliest) {
			earliest = k.FirstSeen
		}
		if k.FirstSeen.After(latest) {
			latest = k.FirstSeen
		}
	}
	composite := dsl{"size": size, "sources": []dsl{
		{"pair": dsl{"terms": dsl{"field": "newterms.pair"}}},
		{"first_seen": dsl{"terms": dsl{"field": "newterms.first_seen"}}},
		{"search": dsl{"terms": dsl{"field": "newterms.search", "missing_bucket": true}}},
	}}
	if after != nil {
		composite["after"] = after
	}
	return dsl{
		"size": 0, "track_total_hits": false, "query": ofPairs(keys, l.Fields, earliest.Add(-l.History), latest.Add(l.History)),
		"aggs": dsl{"alerts": dsl{"composite": composite}},
	}
}

// ofPairs matches the alerts of the pairs that were first seen from one time up
// to another, inclusive.
func ofPairs(keys []Key, fields []string, from, to time.Time) dsl {
	pairs, former := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		pairs[i], former[i] = k.Pair, k.formerPair
	}
	ofFormer := []dsl{{"terms": dsl{"newterms.pair": former}}}
	for _, field := range fields {
		ofFormer = append(ofFormer, dsl{"term": dsl{"newterms.fields": field}})
	}
	return dsl{"bool": dsl{"filter": []dsl{
		{"bool": dsl{"minimum_should_match": 1, "should": []dsl{
			{"terms": dsl{"newterms.pair": pairs}}, {"bool": dsl{"filter": ofFormer}},
		}}},
		{"range": dsl{"newterms.first_seen": dsl{"gte": from.UnixMilli(), "lte": to.UnixMilli(), "format": "epoch_millis"}}},
	}}}
}

// isMissing reports that a target does not exist yet.
func isMissing(err error) bool {
	return elastic.HasCause(err, "index_not_found_exception")
}
