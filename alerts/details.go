package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/fields"
	"newterms/alerts/novelty"
	"newterms/alerts/summary"
	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// Details are what people want to know of an alert, as it was written.
type Details struct {
	Reason   string            `json:"reason"`
	Severity string            `json:"severity"`
	Risk     string            `json:"risk_score"`
	URL      string            `json:"url,omitempty"` // in Kibana
	Events   string            `json:"events"`        // of the pair, in the window
	WindowTo time.Time         `json:"window_to,omitzero"`
	Summary  *summary.Summary  `json:"-"` // nil if there is none
	Text     string            `json:"summary,omitempty"`
	About    alert.Description `json:"-"`
	// Context is what was known before the alert; nil if it has none.
	Context *novelty.Context `json:"-"`
	New     string           `json:"context,omitempty"` // the same, in one line
	Novelty string           `json:"novelty,omitempty"`
	// Decisions are those on the alert, oldest first.
	Decisions []workflow.Past `json:"decisions,omitempty"`
	// Related are the other alerts first seen up to a day before or after it.
	Related []Related `json:"related,omitempty"`
}

// Related are alerts that have something in common.
type Related struct {
	What   string   `json:"what"` // address, network or user
	Value  string   `json:"value"`
	Alerts int64    `json:"alerts"`
	IDs    []string `json:"ids"` // some of them
}

// Find returns the alert with an id, and its Details without related alerts. Its error
// is an *UnknownAlertsError if there is none.
func (s *Store) Find(ctx context.Context, id string) (StoredAlert, Details, error) {
	var hits []struct {
		Source elastic.Document `json:"_source"`
	}
	body := dsl{"size": 1, "track_total_hits": false, "query": dsl{"term": dsl{"kibana.alert.uuid": id}}}
	_, err := s.client.Hits(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: body}, &hits)
	if elastic.IsMissing(err) || err == nil && len(hits) == 0 {
		err = &UnknownAlertsError{Target: s.alertsTarget, IDs: []string{id}}
	}
	if err != nil {
		return StoredAlert{}, Details{}, fmt.Errorf("look up the alert: %w", err)
	}
	var stored storedSource
	decoder := json.NewDecoder(bytes.NewReader(hits[0].Source))
	decoder.UseNumber() // a term keeps its digits
	err = decoder.Decode(&stored)
	value, parseErr := elastic.Parse(hits[0].Source)
	if err := errors.Join(err, parseErr); err != nil {
		return StoredAlert{}, Details{}, fmt.Errorf("read the alert %s: %w", id, err)
	}
	document, _ := value.(map[string]any) // an elastic.Document is an object
	return stored.read(), detailsOf(stored.read(), document), nil
}

func detailsOf(a StoredAlert, document map[string]any) Details {
	text := func(path string) string {
		value, _ := elastic.Lookup(document, path)
		return fields.Text(value)
	}
	d := Details{
		Reason: text("kibana.alert.reason"), Severity: text("kibana.alert.severity"), Risk: text("kibana.alert.risk_score"), URL: text("kibana.alert.url"),
		Events: text("newterms.events"), Summary: summary.Of(document), Text: text("newterms.summary.text"), About: alert.DescribeStored(document, a.Fields, a.Terms),
		Context: novelty.Of(document), New: text("newterms.context.text"), Novelty: text("newterms.novelty"),
	}
	d.Decisions = workflow.Alert(document).Decisions()
	d.WindowTo, _ = time.Parse(time.RFC3339, text("newterms.window.to")) // an alert of an early build has none
	return d
}

// relatedWithin is how far apart related alerts are first seen, at most.
const relatedWithin = 24 * time.Hour

// shownRelated is how many ids of related alerts are listed.
const shownRelated = 3

// Related counts the other alerts of the same address, network or user as an alert, first
// seen up to a day before or after it.
func (s *Store) Related(ctx context.Context, a StoredAlert, about alert.Description) ([]Related, error) {
	var all []Related
	filters := dsl{}
	for _, r := range []struct {
		what, value string
		fields      []string
	}{
		{"address", about.IP, fields.ClientIP()},
		{"network", about.Network, []string{"okta.security_context.as.organization.name", "client.as.organization.name", "source.as.organization.name"}},
		{"user", userOf(about), []string{"okta.actor.id", "user.id", "user.name"}},
	} {
		if r.value == "" {
			continue
		}
		var any []dsl
		for _, field := range r.fields {
			if fields.Fits(fields.Type(field), r.value) {
				any = append(any, dsl{"term": dsl{field: r.value}})
			}
		}
		if len(any) == 0 { // several addresses in one event
			continue
		}
		filters[r.what] = dsl{"bool": dsl{"should": any, "minimum_should_match": 1}}
		all = append(all, Related{What: r.what, Value: r.value})
	}
	if len(all) == 0 {
		return nil, nil
	}
	var answer struct {
		Related struct {
			Buckets map[string]struct {
				elastic.DocCount
				IDs elastic.Buckets[struct{ Key string }] `json:"ids"`
			} `json:"buckets"`
		} `json:"related"`
	}
	if err := s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: relatedBody(a, filters)}, &answer); err != nil {
		return nil, fmt.Errorf("look for related alerts: %w", err)
	}
	var found []Related
	for _, r := range all {
		b := answer.Related.Buckets[r.What]
		r.Alerts = b.Count
		for _, id := range b.IDs.Buckets {
			r.IDs = append(r.IDs, id.Key)
		}
		if r.Alerts > 0 {
			found = append(found, r)
		}
	}
	return found, nil
}

func relatedBody(a StoredAlert, filters dsl) dsl {
	near := dsl{"gte": words.Stamp(a.FirstSeen.Add(-relatedWithin)), "lte": words.Stamp(a.FirstSeen.Add(relatedWithin))}
	others := dsl{"bool": dsl{
		"filter":   []dsl{{"range": dsl{"newterms.first_seen": near}}},
		"must_not": []dsl{{"term": dsl{"kibana.alert.uuid": a.ID}}},
	}}
	return elastic.Aggregate(dsl{"related": dsl{
		"filters": dsl{"filters": filters},
		"aggs":    dsl{"ids": dsl{"terms": dsl{"field": "kibana.alert.uuid", "size": shownRelated, "order": dsl{"_key": "asc"}}}},
	}}, others)
}

// userOf returns the id of the user, or the name; "" for an unknown actor, who may be
// anybody.
func userOf(about alert.Description) string {
	switch {
	case fields.IsUnknownActor(about.ActorID) || fields.IsUnknownActor(about.Actor):
		return ""
	case about.ActorID != "":
		return about.ActorID
	}
	return about.Actor
}
