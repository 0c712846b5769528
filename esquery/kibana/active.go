package kibana

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A Sign shows that a rule of Kibana's ran.
type Sign struct {
	At time.Time // zero if there is none
	// Alert reports that it is an alert. Otherwise it is a run in the log.
	Alert bool
}

// LastSign returns the newest run of the rules with a rule_id in a range or, if the log
// shows none, the newest alert. Without any alert at all, the log is asked for a rule of
// the name.
func (r *Reader) LastSign(ctx context.Context, ruleID, name string, in query.Range) (Sign, error) {
	editions, err := r.Editions(ctx, ruleID)
	if err != nil {
		return Sign{}, err
	}
	named := Named{Name: name}
	var last Sign
	for _, e := range editions {
		named.IDs = append(named.IDs, e.Rule)
		if e.Last.After(last.At) && !e.Last.Before(in.From) {
			last = Sign{e.Last, true}
		}
	}
	var answer struct {
		Last struct{ Value *float64 } `json:"last"`
	}
	span := dsl{"range": dsl{"@timestamp": dsl{"gte": in.From.UnixMilli(), "lt": in.To.UnixMilli(), "format": "epoch_millis"}}}
	body := elastic.Aggregate(dsl{"last": dsl{"max": dsl{"field": "@timestamp"}}}, named.query(), dsl{"term": dsl{"event.action": "execute"}}, span)
	if err := r.client.Search(ctx, elastic.Search{Indices: []string{r.events}, IgnoreUnavailable: true, Body: body}, &answer); err != nil {
		return last, fmt.Errorf("look for runs in Kibana's event log: %w", err)
	}
	if answer.Last.Value != nil {
		last = Sign{time.UnixMilli(int64(*answer.Last.Value)).UTC(), false}
	}
	return last, nil
}
