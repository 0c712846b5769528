// Package kibana reads what Kibana's own detection rules left behind: their alerts, and
// their executions and gaps in Kibana's event log. It only searches.
package kibana

import (
	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

type dsl = query.DSL

// The patterns of Kibana's alerts in all spaces, and of its event log.
const (
	Alerts = ".alerts-security.alerts-*"
	Events = ".kibana-event-log-*"
)

// A Reader reads Kibana's indices. It is safe for concurrent use.
type Reader struct {
	client         *elastic.Client
	alerts, events string // patterns
}

// NewReader returns a Reader of the indices that two patterns name.
func NewReader(client *elastic.Client, alerts, events string) *Reader {
	return &Reader{client, alerts, events}
}
