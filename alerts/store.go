// Package alerts is the store of alerts and runs: it writes both, reports which first
// occurrences are already alerted, and sets the workflow status of alerts.
package alerts

import (
	"context"

	"newterms/alerts/runs"
	"newterms/alerts/templates"
	"newterms/esquery/elastic"
)

type dsl = map[string]any

// A Store writes to the two targets, both hidden data streams. It is safe for
// concurrent use.
type Store struct {
	*templates.Targets // sets up the targets, and inspects them
	*runs.Reader       // reads the runs target

	client                   *elastic.Client
	alertsTarget, runsTarget string
	onIndices                bool // the targets are no data streams
}

// NewStore returns a store that sends through client.
func NewStore(client *elastic.Client, alertsTarget, runsTarget string) *Store {
	return &Store{
		Targets: templates.NewTargets(client, alertsTarget, runsTarget), Reader: runs.NewReader(client, runsTarget),
		client: client, alertsTarget: alertsTarget, runsTarget: runsTarget,
	}
}

// OnIndices returns a store whose targets are hidden indices, which it makes. They are for
// a test of a rule, and last as long as that.
func (s *Store) OnIndices(ctx context.Context) (*Store, error) {
	other := *s
	other.onIndices = true
	return &other, s.CreateHidden(ctx)
}

// ReadFields lists the fields by which a run finds alerts and runs.
func ReadFields() []string {
	return []string{
		"@timestamp", "kibana.alert.uuid", "newterms.fields", "newterms.first_seen", "newterms.pair", "newterms.run.id", "newterms.search", "newterms.window.to",
	}
}
