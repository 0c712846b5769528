package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery/elastic"
)

// MaxBatch is how many keys AlreadyAlerted accepts: a page of candidates. Its search
// has two pair values for each, and a terms filter may have 65,536.
const MaxBatch = 10_000

// A Lookup decides which alerts make a first occurrence already alerted.
type Lookup struct {
	History time.Duration
	Search  string   // of this run; see RunInfo
	Fields  []string // the rule's new-terms fields
}

// covers reports whether an alert, first seen at a time by a search, makes a first
// occurrence at t already alerted. An alert at t does, and one up to the history later:
// a late event has moved its first occurrence to t. An earlier alert does only if its
// search is the same: the source may have lost that alert's event since. An earlier
// alert of another search does not. History decides about it, or an exclusion made
// since would hide the user's next proxy.
func (l Lookup) covers(t, alerted time.Time, search string) bool {
	after := alerted.Sub(t)
	return after >= 0 && after <= l.History || after < 0 && -after <= l.History && search == l.Search && search != ""
}

// AlreadyAlerted reports for each of at most MaxBatch keys, in order, whether the
// alerts target has an alert that covers it. It finds what an equal _id cannot: an
// alert in an older backing index, and one that a late event has moved.
func (s *Store) AlreadyAlerted(ctx context.Context, keys []alert.Key, l Lookup) ([]bool, error) {
	alerted, err := elastic.InHalves(keys, func(keys []alert.Key) ([]bool, error) { return s.alreadyAlerted(ctx, keys, l) })
	if err != nil {
		return nil, fmt.Errorf("look for alerts that exist: %w", err)
	}
	return alerted, nil
}

func (s *Store) alreadyAlerted(ctx context.Context, keys []alert.Key, l Lookup) ([]bool, error) {
	alerted := make([]bool, len(keys))
	positions := map[string]int{}
	for i, k := range keys {
		positions[k.Pair], positions[k.FormerPair] = i, i
	}
	pager := elastic.Pager{
		Client: s.client, Search: elastic.Search{Indices: []string{s.alertsTarget}},
		Size: len(keys) + 1, // if each pair has one alert, the page is not full, and so the last
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
		if elastic.IsMissing(err) || err == nil && !ok { // no target: no alert was ever written
			return alerted, nil
		}
		if err != nil {
			return nil, err
		}
		for _, b := range answer.Alerts.Buckets {
			i, ok := positions[b.Key.Pair]
			if ok && l.covers(keys[i].FirstSeen.Truncate(time.Millisecond), time.UnixMilli(b.Key.FirstSeen), b.Key.Search) {
				alerted[i] = true
			}
		}
	}
}

// alreadyAlertedBody lists the alerts of the pairs around their times. Most pairs have
// none there, and few more than one. Alerts of version 0.1 have another pair value,
// without the fields.
func alreadyAlertedBody(keys []alert.Key, l Lookup, size int, after json.RawMessage) dsl {
	byTime := func(a, b alert.Key) int { return a.FirstSeen.Compare(b.FirstSeen) }
	earliest, latest := slices.MinFunc(keys, byTime).FirstSeen, slices.MaxFunc(keys, byTime).FirstSeen
	sources := []dsl{
		{"pair": dsl{"terms": dsl{"field": "newterms.pair"}}},
		{"first_seen": dsl{"terms": dsl{"field": "newterms.first_seen"}}},
		{"search": dsl{"terms": dsl{"field": "newterms.search", "missing_bucket": true}}},
	}
	return elastic.Aggregate(dsl{"alerts": elastic.CompositeOf(sources, size, after)}, ofPairs(keys, l.Fields, earliest.Add(-l.History), latest.Add(l.History)))
}

// ofPairs matches the alerts of the pairs first seen between two times, inclusive.
func ofPairs(keys []alert.Key, fields []string, from, to time.Time) dsl {
	pairs, former := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		pairs[i], former[i] = k.Pair, k.FormerPair
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
