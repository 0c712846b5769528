package alerts

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery/elastic"
)

// A StoredAlert is an alert in the alerts target.
type StoredAlert struct {
	ID        string    `json:"id"`
	FirstSeen time.Time `json:"first_seen"`
	Status    string    `json:"status"` // workflow status: open, acknowledged or closed
	Written   time.Time `json:"written"`
	RunID     string    `json:"run"` // of the run that wrote it
	Pair      string    `json:"-"`
	RuleID    string    `json:"-"`
	RuleName  string    `json:"-"`
	Fields    []string  `json:"-"` // the new-terms fields
	Terms     []any     `json:"-"` // one for each of the fields: a string, json.Number, bool or nil
	Search    string    `json:"-"` // see RunInfo; "" for version 0.1
	Severity  string    `json:"-"`
	// Index and EventID locate the source event; "" if the alert does not have them.
	Index   string `json:"-"`
	EventID string `json:"-"`
}

// Covers reports whether an alert of the pair makes a first occurrence at t already
// alerted.
func (l Lookup) Covers(t time.Time, a StoredAlert) bool {
	return l.covers(t.Truncate(time.Millisecond), a.FirstSeen, a.Search)
}

// maxStored is how many alerts are read in all, and in one request: Elasticsearch's
// usual limit.
const maxStored = 10_000

// maxPairs is how many pairs one search has.
const maxPairs = 100

// StoredAlerts lists for each key the alerts of its pair first seen between two times,
// inclusive, ordered by time. fields are the rule's new-terms fields. It lists an alert
// in several backing indices once.
func (s *Store) StoredAlerts(ctx context.Context, keys []alert.Key, fields []string, from, to time.Time) ([][]StoredAlert, error) {
	var all [][]StoredAlert
	for chunk := range slices.Chunk(keys, maxPairs) {
		found, err := elastic.InHalves(chunk, func(keys []alert.Key) ([][]StoredAlert, error) { return s.storedAlerts(ctx, keys, fields, from, to) })
		if err != nil {
			return nil, fmt.Errorf("look up the alerts of pairs: %w", err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *Store) storedAlerts(ctx context.Context, keys []alert.Key, fields []string, from, to time.Time) ([][]StoredAlert, error) {
	found, err := s.alertsMatching(ctx, ofPairs(keys, fields, from, to))
	if err != nil {
		return nil, err
	}
	byPair := map[string][]StoredAlert{}
	for _, alert := range found {
		byPair[alert.Pair] = append(byPair[alert.Pair], alert)
	}
	storedAlerts := make([][]StoredAlert, len(keys))
	for i, k := range keys {
		all := slices.Concat(byPair[k.Pair], byPair[k.FormerPair])
		slices.SortStableFunc(all, func(a, b StoredAlert) int {
			return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.ID, b.ID))
		})
		storedAlerts[i] = slices.CompactFunc(all, func(a, b StoredAlert) bool { return a.ID == b.ID })
	}
	return storedAlerts, nil
}

func (s *Store) alertsMatching(ctx context.Context, query dsl) ([]StoredAlert, error) {
	type hit struct {
		Source storedSource `json:"_source"`
		elastic.Sorted
	}
	var alerts []StoredAlert
	search := elastic.Search{Indices: []string{s.alertsTarget}}
	for found, err := range elastic.InOrder[hit](ctx, s.client, search, maxStored, func(size int) dsl { return storedAlertsBody(query, size) }) {
		if elastic.IsMissing(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		if alerts = append(alerts, found.Source.read()); len(alerts) >= maxStored {
			return nil, fmt.Errorf("%w: there are %d alerts or more, ask about a shorter range", elastic.ErrIncomplete, maxStored)
		}
	}
	return alerts, nil
}

type storedSource struct {
	ID        string    `json:"kibana.alert.uuid"`
	Pair      string    `json:"newterms.pair"`
	RuleID    string    `json:"kibana.alert.rule.rule_id"`
	RuleName  string    `json:"kibana.alert.rule.name"`
	Fields    []string  `json:"newterms.fields"`
	Terms     []any     `json:"kibana.alert.new_terms"`
	FirstSeen time.Time `json:"newterms.first_seen"`
	Written   time.Time `json:"@timestamp"`
	Status    string    `json:"kibana.alert.workflow_status"`
	RunID     string    `json:"newterms.run.id"`
	Search    string    `json:"newterms.search"`
	Severity  string    `json:"kibana.alert.severity"`
	Ancestors []struct {
		Index string `json:"index"`
		ID    string `json:"id"`
	} `json:"kibana.alert.ancestors"`
}

func (a storedSource) read() StoredAlert {
	e := StoredAlert{
		ID: a.ID, Pair: a.Pair, RuleID: a.RuleID, RuleName: a.RuleName, Fields: a.Fields, Terms: a.Terms,
		FirstSeen: a.FirstSeen.UTC(), Written: a.Written.UTC(), Status: a.Status, RunID: a.RunID, Search: a.Search, Severity: a.Severity,
	}
	if n := len(a.Ancestors); n > 0 { // the last one is the source event
		e.Index, e.EventID = a.Ancestors[n-1].Index, a.Ancestors[n-1].ID
	}
	return e
}

func storedAlertsBody(query dsl, size int) dsl {
	return dsl{
		"size": size, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": []dsl{query}}},
		"sort":    []dsl{{"newterms.first_seen": "asc"}, {"kibana.alert.uuid": "asc"}},
		"_source": storedFields(),
	}
}

// storedFields lists the fields that storedSource has.
func storedFields() []string {
	return []string{
		"kibana.alert.uuid", "kibana.alert.rule.rule_id", "kibana.alert.rule.name", "kibana.alert.new_terms", "kibana.alert.severity",
		"kibana.alert.workflow_status", "kibana.alert.ancestors", "newterms.pair", "newterms.fields",
		"newterms.first_seen", "newterms.run.id", "newterms.search", "@timestamp",
	}
}

// OfRule calls each with the alerts of a rule that were first seen in [from, to), the
// newest first. It lists an alert in several backing indices once for each.
func (s *Store) OfRule(ctx context.Context, ruleID string, from, to time.Time, each func(StoredAlert) error) error {
	filters := []dsl{
		{"term": dsl{"kibana.alert.rule.rule_id": ruleID}},
		{"range": dsl{"newterms.first_seen": dsl{"gte": from.UnixMilli(), "lt": to.UnixMilli(), "format": "epoch_millis"}}},
	}
	_, err := eachNewest(ctx, s, filters, storedFields(), math.MaxInt, func(_ string, a storedSource) error { return each(a.read()) })
	return err
}

// ByID returns those of some alerts that exist, by their ids.
func (s *Store) ByID(ctx context.Context, ids []string) (map[string]StoredAlert, error) {
	found, err := s.alertsMatching(ctx, dsl{"terms": dsl{"kibana.alert.uuid": ids}})
	if err != nil {
		return nil, fmt.Errorf("look up alerts: %w", err)
	}
	byID := map[string]StoredAlert{}
	for _, a := range found {
		byID[a.ID] = a
	}
	return byID, nil
}
