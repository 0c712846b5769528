package kibana

import (
	"context"
	"fmt"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// An Alert is what a list of Kibana's alerts holds of one.
type Alert struct {
	ID       string
	Rule     string // id of the saved object; a rule has one in each space
	Revision int64  // of the rule; -1 if the alert does not say
	Terms    []any  // in the order of Fields: a string, json.Number, bool or nil
	Fields   []string
	At       time.Time // of the event: its primary timestamp, cut to milliseconds; UTC
	Written  time.Time
	// Execution is the id of the run that wrote it. Manual reports that somebody asked for
	// that run, for a time that Until ends.
	Execution  string
	Manual     bool
	Until      time.Time
	Severity   string
	Suppressed *Suppression // nil if the alert stands for its own event only
}

// A Suppression says which events an alert stands for besides its own.
type Suppression struct {
	Values     query.Values // by field; nil means the absence of a value
	Start, End time.Time    // of the events, both inclusive
	Events     int64
}

// alertsPage is how many alerts one search returns: about 1 MB.
const alertsPage = 2_000

// Alerts calls each with the alerts of the rules with a rule_id whose events are in a
// range, in the order in which they were written. Timestamp is the rule's primary one.
func (r *Reader) Alerts(ctx context.Context, ruleID, timestamp string, in query.Range, each func(Alert) error) error {
	search := elastic.Search{Indices: []string{r.alerts}, IgnoreUnavailable: true}
	for hit, err := range elastic.InOrder[alertHit](ctx, r.client, search, alertsPage, func(size int) dsl { return alertsBody(ruleID, timestamp, in, size) }) {
		if err != nil {
			return fmt.Errorf("list Kibana's alerts: %w", err)
		}
		if a := hit.read(timestamp); !a.At.Before(in.From) && a.At.Before(in.To) {
			if err := each(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// atField is where an alert has the timestamp of its event. Kibana keeps the fields of
// event there, because an alert has its own.
func atField(timestamp string) string {
	if name, isEvent := strings.CutPrefix(timestamp, "event."); isEvent {
		return "kibana.alert.original_event." + name
	}
	if timestamp == "@timestamp" {
		return "kibana.alert.original_time"
	}
	return timestamp
}

// ofRule matches Kibana's alerts of the rules with a rule_id. Those of newterms have the
// same fields, and a pattern such as .alerts-* has them too.
func ofRule(ruleID string) []dsl {
	return []dsl{{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, query.Lacks("newterms.first_seen")}
}

// alertsBody has no upper bound for when an alert is written, because a run by hand may
// write late. No run looks beyond its own time, and so none writes before the event's.
func alertsBody(ruleID, timestamp string, in query.Range, size int) dsl {
	at := atField(timestamp)
	between := dsl{"range": dsl{at: dsl{"gte": in.From.UnixMilli(), "lt": in.To.UnixMilli(), "format": "epoch_millis"}}}
	return dsl{
		"size": size, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": append(ofRule(ruleID),
			dsl{"range": dsl{"@timestamp": dsl{"gte": in.From.UnixMilli(), "format": "epoch_millis"}}},
			query.AnyOf([]dsl{between, query.Lacks(at)}),
		)}},
		"sort":    []dsl{{"@timestamp": dsl{"order": "asc", "unmapped_type": "date"}}, {"kibana.alert.uuid": dsl{"order": "asc", "unmapped_type": "keyword"}}},
		"_source": alertFields(timestamp),
	}
}

func alertFields(timestamp string) []string {
	return []string{
		"@timestamp", atField(timestamp), "kibana.alert.original_time", "kibana.alert.new_terms", "kibana.alert.severity", "kibana.alert.intended_timestamp",
		"kibana.alert.rule.uuid", "kibana.alert.rule.revision", "kibana.alert.rule.execution.uuid", "kibana.alert.rule.execution.type",
		"kibana.alert.rule.parameters.new_terms_fields", "kibana.alert.suppression",
	}
}

// ByID returns those of some alerts that exist, by their ids.
func (r *Reader) ByID(ctx context.Context, timestamp string, ids []string) (map[string]Alert, error) {
	var hits []alertHit
	body := dsl{"size": 2 * len(ids), "track_total_hits": false, "query": dsl{"ids": dsl{"values": ids}}, "_source": alertFields(timestamp)}
	if _, err := r.client.Hits(ctx, elastic.Search{Indices: []string{r.alerts}, IgnoreUnavailable: true, Body: body}, &hits); err != nil {
		return nil, fmt.Errorf("look up Kibana's alerts: %w", err)
	}
	found := map[string]Alert{}
	for _, hit := range hits {
		found[hit.ID] = hit.read(timestamp)
	}
	return found, nil
}

type alertHit struct {
	ID     string         `json:"_id"`
	Source map[string]any `json:"_source"`
	elastic.Sorted
}

func (h alertHit) read(timestamp string) Alert {
	d := document(h.Source)
	a := Alert{
		ID: h.ID, Rule: d.text("kibana.alert.rule.uuid"), Revision: d.whole("kibana.alert.rule.revision", -1),
		Terms: d.list("kibana.alert.new_terms"), Fields: d.texts("kibana.alert.rule.parameters.new_terms_fields"),
		At: d.time(atField(timestamp)), Written: d.time("@timestamp"), Severity: d.text("kibana.alert.severity"),
		Execution: d.text("kibana.alert.rule.execution.uuid"), Manual: d.text("kibana.alert.rule.execution.type") == "manual",
	}
	if a.At.IsZero() {
		a.At = d.time("kibana.alert.original_time")
	}
	if a.Manual {
		a.Until = d.time("kibana.alert.intended_timestamp")
	}
	if events := d.whole("kibana.alert.suppression.docs_count", 0); events > 0 {
		s := Suppression{Values: query.Values{}, Start: d.time("kibana.alert.suppression.start"), End: d.time("kibana.alert.suppression.end"), Events: events}
		for _, one := range d.objects("kibana.alert.suppression.terms") {
			if values := one.list("value"); len(values) > 0 {
				s.Values[one.text("field")] = values
			} else {
				s.Values[one.text("field")] = []any{nil}
			}
		}
		a.Suppressed = &s
	}
	return a
}
